import { afterEach, beforeEach, expect, test } from "vitest";
import { openRawLink, type RawLink } from "./harness/raw-link.ts";
import { Replicas } from "./harness/replicas.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/**
 * Silence is measured while somebody listens: real processes that are stopped for longer than anything may be silent. That is
 * longer than this process, which is the other side of the links, gets no turn on a busy machine.
 */
const LEASE_MS = 5_000;
const STOPPED_MS = LEASE_MS * 1.5;

let stack: Stack;
let port: number;
beforeEach(async () => {
  stack = new Stack();
  ({ directory: port } = await stack.ports());
});
afterEach(() => stack.dispose());

const registration = (name: string) => ({ service: "barker", name, url: `http://vm-${name}:8080`, state: "live" });

async function watson(name: string): Promise<RawLink> {
  const link = await openRawLink(port, { kind: "watson", name, id: `the-watson-of-${name}` });
  const registered = link.next(({ type }) => type === "registered");
  link.send({ type: "register", seq: 0, instances: [registration(name)] });
  await registered;
  return link;
}

/** Every state that a subscriber is told of an instance of `barker`, from now on; null when it is gone. */
async function told(): Promise<{ readonly states: (string | null)[]; readonly link: RawLink }> {
  const states: (string | null)[] = [];
  const wish = { services: ["barker"], have: null };
  const link = await openRawLink(port, { kind: "sherlock", name: "teller", id: "the-teller", subscribe: wish });
  link.socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString("utf8")) as {
      change?: { instances?: { state: string }[]; gone?: { instances?: string[] } };
    };
    states.push(...(message.change?.instances ?? []).map(({ state }) => state));
    states.push(...(message.change?.gone?.instances ?? []).map(() => null));
  });
  return { states, link };
}

/** Resolves when the directory has pinged so often: it has looked by then who is silent, several times. */
function pinged(link: RawLink, times: number): Promise<void> {
  let left = times;
  return new Promise((resolve) => link.socket.on("ping", () => --left === 0 && resolve()));
}

async function stopped(child: { kill(signal: NodeJS.Signals): void }, ms: number): Promise<void> {
  child.kill("SIGSTOP");
  await sleep(ms);
  child.kill("SIGCONT");
}

test("a directory that was stopped for longer than its lease cuts nobody that answers", async () => {
  const directory = await stack.startDirectory([], { lease: `${LEASE_MS}ms` });
  const links = await Promise.all(Array.from({ length: 10 }, (_, i) => watson(`w${i}`)));
  const { states, link } = await told();
  await stopped(directory, STOPPED_MS);
  await Promise.all([...links, link].map((one) => pinged(one, 3)));
  expect([...links, link].map(({ socket }) => socket.readyState)).toEqual(Array.from({ length: 11 }, () => 1));
  expect(states).toEqual([]);
  await stack.lists("barker", Object.fromEntries(links.map((_, i) => [`w${i}`, "live"])));
});

test("a Watson whose set is a lot of work is not cut for what the directory did not read meanwhile", async () => {
  await stack.startDirectory([], { lease: `${LEASE_MS}ms` });
  const link = await openRawLink(port, { kind: "watson", name: "large", id: "the-watson-that-is-large" });
  const other = await watson("w0");
  for (let round = 0; round < 3; round++) {
    const registered = link.next(({ type, seq }) => type === "registered" && seq === round);
    const reason = `round ${round}`.padEnd(200, ".");
    const instances = Array.from({ length: 9_000 }, (_, i) => ({ ...registration(`i${i}`), state: "down", reason }));
    link.send({ type: "register", seq: round, instances });
    await registered;
  }
  await Promise.all([pinged(link, 2), pinged(other, 2)]);
  expect([link.socket.readyState, other.socket.readyState]).toEqual([1, 1]);
});

test("a lease that came due while the directory was stopped ends only after what had come by then is read", async () => {
  const directory = await stack.startDirectory([], { lease: `${LEASE_MS}ms` });
  (await watson("w0")).socket.terminate();
  await stack.lists("barker", { w0: "lost" });
  const { states } = await told();
  directory.kill("SIGSTOP");
  await sleep(STOPPED_MS);
  // Connected by the system alone; the directory reads of it when it goes on.
  const back = watson("w0");
  directory.kill("SIGCONT");
  const link = await back;
  await pinged(link, 2);
  await stack.lists("barker", { w0: "live" });
  expect(states).toEqual(["live"]);
  link.socket.terminate();
  await stack.lists("barker", {});
});

test("a Watson that was stopped takes no instance for down whose answer had come", async () => {
  await stack.startDirectory([], { lease: "30s" });
  const watson = await stack.startWatson();
  await stack.startInstance({
    service: "barker",
    name: "b1",
    // It answers after 300 ms, so that nearly always an answer is waited for.
    file: { liveness: { http: "/check?ms=300", interval: "100ms", timeout: "4s", fall: 1 } },
  });
  await stack.lists("barker", { b1: "live" });
  const { states } = await told();
  for (let round = 0; round < 2; round++) {
    await stopped(watson, 5_000);
    const before = await stack.sample("watson", "datawire_watson_checks_total");
    await eventually(async () =>
      expect(await stack.sample("watson", "datawire_watson_checks_total")).toBeGreaterThan(before + 2),
    );
  }
  expect(states).toEqual([]);
});

test("a Watson that was stopped for longer than the lease brings its instances back, and drops none that lives", async () => {
  await stack.startDirectory([], { lease: `${LEASE_MS}ms` });
  const watson = await stack.startWatson();
  await stack.startInstance({ service: "barker", name: "b1" });
  await stack.lists("barker", { b1: "live" });
  const { states } = await told();
  watson.kill("SIGSTOP");
  await eventually(() => expect(states).toEqual(["lost", null]));
  watson.kill("SIGCONT");
  await eventually(() => expect(states).toEqual(["lost", null, "live"]));
});

test("a directory on etcd that was stopped until the others had ended its leases brings back who answers", async () => {
  const replicas = await Replicas.start(stack, 2);
  try {
    port = Number(new URL(replicas.url(0)).port);
    const link = await watson("w0");
    // A service without instances is none.
    const at = (index: number): Promise<string> => replicas.instances(index, "barker").catch(() => "");
    await eventually(async () => expect(await at(1)).toBe("w0 live"));
    replicas.signal(0, "SIGSTOP");
    await eventually(async () => expect(await at(1)).toBe("w0 lost"));
    await eventually(async () => expect(await at(1)).toBe(""));
    replicas.signal(0, "SIGCONT");
    await eventually(async () => expect([await at(0), await at(1)]).toEqual(["w0 live", "w0 live"]));
    await pinged(link, 3);
    expect(link.socket.readyState).toBe(1);
    expect([await at(0), await at(1)]).toEqual(["w0 live", "w0 live"]);
  } finally {
    await replicas.dispose();
  }
});
