import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openRawConnection, openRawLink, type RawConnection, type RawLink } from "./harness/raw-link.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/**
 * What everybody else may notice of an abuse: one connection takes a fifth of a directory's time at the most. So most
 * changes take no more than five times as long as the same changes take in the same second at a directory that nobody
 * abuses. How long that is depends on the machine, and on what else it does: a single change tells of that alone.
 */
const TIMES_MAX = 5;
/** How many changes are compared at the least. */
const CHANGES_MIN = 10;
/** The default: with 6 s the Watson of this test, in a process that had to wait at a load of 30, was silent for longer and cut. */
const LEASE_MS = 15_000;

/** A directory with a Watson of 8,000 instances and a subscriber. */
interface Served {
  readonly port: number;
  readonly pid: number;
  readonly stack: Stack;
  /** How long one change takes from the Watson to the subscriber. */
  changeMs(): Promise<number>;
}

let abused: Served;
/** The one beside, which nobody abuses. */
let beside: Served;
let port: number;

beforeAll(async () => {
  abused = await serve();
  beside = await serve();
  port = abused.port;
});
afterAll(() => Promise.all([abused.stack.dispose(), beside.stack.dispose()]));

async function serve(): Promise<Served> {
  const stack = new Stack();
  const { pid } = await stack.startDirectory([], { lease: `${LEASE_MS}ms` });
  const { directory } = await stack.ports();
  const watson = await openRawLink(directory, { kind: "watson", name: "vm1", id: "the-watson-of-vm1" });
  const registered = watson.next(({ type }) => type === "registered");
  // Large enough that slow readers would cost much if what they do not read were kept for each.
  watson.send({ type: "register", seq: 0, instances: Array.from({ length: 8_000 }, (_, i) => instance(i, "x")) });
  await registered;
  const wish = { services: ["service-0"], have: null };
  const subscriber = await openRawLink(directory, {
    kind: "sherlock",
    name: "good",
    id: "the-good-one",
    subscribe: wish,
  });
  const cut = watson.closed.then(({ code, reason }) => Promise.reject(new Error(`Watson was cut: ${code} ${reason}`)));
  cut.catch(() => {}); // whoever makes a change is told
  let sequence = 0;
  const changeMs = async (): Promise<number> => {
    sequence += 1;
    const text = `change ${sequence}`;
    const startMs = performance.now();
    const arrived = subscriber.next((message) => JSON.stringify(message).includes(`${text}.`));
    watson.send({ type: "update", seq: sequence, instances: [instance(0, text)] });
    await Promise.race([arrived, cut]);
    return performance.now() - startMs;
  };
  return { port: directory, pid, stack, changeMs };
}

/** Half-open connections of every kind, all the while until the test at the end looks what became of them. */
let halfOpen: { silent: RawConnection[]; slow: RawConnection[]; mute: RawLink[] };
beforeAll(async () => {
  const silent = await Promise.all(Array.from({ length: 300 }, () => openRawConnection(port)));
  const slow = await Promise.all(Array.from({ length: 100 }, () => openRawConnection(port)));
  for (const { socket } of slow) socket.write("GET /v1/status HTTP/1.1\r\nhost: localhost\r\n");
  const mute = await Promise.all(Array.from({ length: 100 }, () => openRawLink(port, null)));
  halfOpen = { silent, slow, mute };
});

const instance = (i: number, reason: string) => ({
  service: `service-${i % 100}`,
  name: `i${i}`,
  url: `http://vm1.example.com:8080/${i}`,
  state: "down",
  reason: reason.padEnd(400, "."),
});

/**
 * Makes changes at both directories, in turn, while something goes on at the one.
 * @param alike what one of those who abuse sends, once: a change may have to wait for the message before it.
 */
async function expectUnharmed(work: Promise<unknown>, alike: () => void = () => {}): Promise<void> {
  const progress = { going: true };
  const ended = work.finally(() => (progress.going = false));
  const abusedMs: number[] = [];
  const besideMs: number[] = [];
  while (progress.going || abusedMs.length < CHANGES_MIN) {
    abusedMs.push(await abused.changeMs());
    alike();
    besideMs.push(await beside.changeMs());
    await sleep(20);
  }
  await ended;
  expect(median(abusedMs)).toBeLessThan(Math.max(...besideMs) * TIMES_MAX);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const memoryMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${abused.pid}/status`, "utf8"))?.[1]) / 1_024;

/** After every abuse, everything is as it was for the others. */
afterEach(() => expectUnharmed(Promise.resolve()));

test("garbage is answered with what is wrong, and the connection is closed", async () => {
  const raw = await openRawConnection(port);
  raw.socket.write(Buffer.from([0x16, 3, 1, 0, 200, 1, 255, 254, 0, 13, 10, 13, 10]));
  const link = await openRawLink(port, { kind: "sherlock", name: "garbage", id: "identity-of-garbage" });
  const error = link.next(({ type }) => type === "error");
  link.socket.send("]]]");
  await expectUnharmed(Promise.all([raw.closed, link.closed]));
  expect(raw.answer()).toMatch(/^HTTP\/1.1 400 /);
  expect(await error).toMatchObject({ fatal: true, message: "Cannot read the message: it is no JSON" });
});

test("what is too large is refused by a word that names the bound", async () => {
  const link = await openRawLink(port, { kind: "watson", name: "large", id: "identity-of-large" });
  link.socket.send("x".repeat(4 * 1_024 * 1_024 + 1));
  expect(await link.closed).toEqual({ code: 1009, reason: "a frame may have 4194304 bytes at the most" });

  const url = `http://127.0.0.1:${port}/v1/routes`;
  const headers = { "content-type": "application/json" };
  const body = await fetch(url, { method: "POST", headers, body: `"${"x".repeat(8 * 1_024 * 1_024)}"` });
  expect(body.status).toBe(429);
  expect(await body.text()).toContain("Cannot take a body of more than 524288 bytes");

  const head = await fetch(url, { headers: { "x-large": "x".repeat(20_000) } });
  expect(head.status).toBe(431);
  expect(await head.text()).toContain("Cannot take a head of more than 16384 bytes");
});

test("a body without an end is cut off", async () => {
  const raw = await openRawConnection(port);
  raw.socket.write("POST /v1/routes HTTP/1.1\r\nhost: localhost\r\n");
  raw.socket.write("content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const pour = (): void => {
    while (!raw.socket.destroyed && raw.socket.write(chunk));
  };
  raw.socket.on("drain", pour);
  pour();
  await expectUnharmed(raw.closed);
  expect(raw.answer()).toMatch(/^HTTP\/1.1 429 [\s\S]*Cannot take a body of more than 524288 bytes/);
});

test("a flood of messages and of requests slows down nobody but who sends it", async () => {
  const link = await openRawLink(port, { kind: "watson", name: "flood", id: "identity-of-flood" });
  const many = Array.from({ length: 500 }, (_, i) => ({ ...instance(i, "y"), name: `flood${i}` }));
  const register = JSON.stringify({ type: "register", seq: 1, instances: many });
  const nonsense = JSON.stringify({ type: "nonsense" });
  const beforeMb = memoryMb();
  for (let i = 0; i < 100; i++) link.socket.send(register);
  for (let i = 0; i < 20_000; i++) link.socket.send(nonsense);
  const requests = Array.from({ length: 200 }, () =>
    fetch(`http://127.0.0.1:${port}/v1/services/nobody`).then((response) => response.text()),
  );
  const quiet = await openRawLink(beside.port, { kind: "watson", name: "flood", id: "identity-of-flood" });
  await expectUnharmed(Promise.all([...requests, sleep(2_000)]), () => quiet.socket.send(register));
  quiet.socket.terminate();
  expect(memoryMb() - beforeMb).toBeLessThan(300);
  link.socket.terminate();
});

test("readers that do not read are cut after a lease, and what they do not read is kept but once", async () => {
  const beforeMb = memoryMb();
  const readers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const wish = { services: null, have: null };
      const link = await openRawLink(port, {
        kind: "sherlock",
        name: `slow${i}`,
        id: `the-slow-one-${i}`,
        subscribe: wish,
      });
      link.socket.pause();
      return link;
    }),
  );
  const connected = async (): Promise<string[]> => {
    const status = await fetch(`http://127.0.0.1:${port}/v1/status`);
    return ((await status.json()) as { sherlocks: { name: string }[] }).sherlocks.map(({ name }) => name);
  };
  // Each has been welcomed; on a busy machine the lease of the first ones may be over by now.
  const gone = eventually(async () => expect(await connected()).toEqual(["good"]));
  await expectUnharmed(gone);
  expect(memoryMb() - beforeMb).toBeLessThan(200);
  for (const { socket } of readers) socket.terminate();
});

test("connections that say nothing, or never end saying it, are cut and keep nobody out", async () => {
  const { silent, slow, mute } = halfOpen;
  const ends = Promise.all([...silent, ...slow, ...mute].map(({ closed }) => closed));
  await expectUnharmed(ends);
  expect((await mute[0]?.closed)?.code).toBe(1008);
  expect(slow[0]?.answer()).toMatch(/^HTTP\/1.1 408 /);
});
