import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import type rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** A router of several processes: each address at one of them, clients at any. */
const ROUNDS = scaled(50, 2);
const MOVES = scaled(50, 2);
const ADDRESSES = ["a", "b", "c", "d", "e", "f"].map((name) => `orders/${name}`);

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

/** Clients until there is one at each process: the kernel decides where each comes to. */
const clients = (router: RouterProcess, count = 8): Promise<RheaClient[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => RheaClient.connect(router.port, `client-${index}`)));

const processesOf = (pid: number): number[] =>
  execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map(Number);

/** Sends a message, and resolves when it is accepted. */
async function send(sender: rhea.Sender, message: rhea.Message): Promise<void> {
  if (!sender.sendable()) await once(sender, "sendable");
  const { id } = sender.send(message);
  await new Promise<void>((resolve) => {
    sender.on("accepted", ({ delivery }: rhea.EventContext) => {
      if (delivery?.id === id) resolve();
    });
  });
}

test("an address is one, whichever process its clients are at", async () => {
  const router = await RouterProcess.start(stack, { processes: 2 });
  const all = await clients(router);
  const received: string[] = [];
  for (const [index, client] of all.entries()) {
    const address = ADDRESSES[index % ADDRESSES.length] as string;
    const receiver = client.connection.open_receiver(address);
    receiver.on("message", ({ message }: rhea.EventContext) => received.push(String(message?.body)));
  }
  // Each client sends to each address by a link, and through the relay.
  for (const [index, { connection }] of all.entries()) {
    for (const address of ADDRESSES) await send(connection.open_sender(address), { body: `${index} to ${address}` });
    const relay = connection.open_sender({ target: {} });
    await send(relay, { to: ADDRESSES[index % 3] as string, body: `${index} relayed` });
  }
  await eventually(() => expect(received.length).toBe(all.length * (ADDRESSES.length + 1)));
  expect(new Set(received).size).toBe(received.length);

  // A topic has one order and one place for each message, and begins where each subscription wants.
  const [first, second] = all;
  const offsets: unknown[] = [];
  for (const body of ["one", "two", "three"])
    await send(first?.connection.open_sender("topic/t") as rhea.Sender, { body });
  const reader = second?.connection.open_receiver("topic/t?from=2");
  reader?.on("message", ({ message }: rhea.EventContext) =>
    offsets.push([message?.body, Number(message?.delivery_annotations?.["x-opt-datawire-offset"])]),
  );
  await eventually(() =>
    expect(offsets).toEqual([
      ["two", 2],
      ["three", 3],
    ]),
  );

  // A subscription is found by its name alone from every process, and is at one topic at a time.
  const durable = (address: string) => ({
    name: "log",
    source: { address, durable: 2 as const, expiry_policy: "never" as const },
  });
  for (const address of ["topic/t", "topic/u", "topic/v", "topic/w"]) {
    for (const options of [durable(address), { name: "log" }, { name: "log" }, { name: "log" }]) {
      const client = await RheaClient.connect(router.port, "app");
      const kept = client.connection.open_receiver(options);
      await once(kept, "receiver_open");
      expect(kept.source.address).toBe(address);
      kept.detach();
      await once(kept, "receiver_close");
      client.close();
    }
  }

  // What is made for a link is found from every process.
  const dynamic = first?.connection.open_receiver({ source: { address: "", dynamic: true } }) as rhea.Receiver;
  await once(dynamic, "receiver_open");
  const answers: unknown[] = [];
  dynamic.on("message", ({ message }: rhea.EventContext) => answers.push(message?.body));
  for (const { connection } of all) await send(connection.open_sender(dynamic.source.address), { body: "answer" });
  await eventually(() => expect(answers.length).toBe(all.length));

  // One status, whoever is asked; dw comes to any of them.
  const { queues, links } = await router.status();
  expect(queues.map(({ address }) => address)).toEqual(expect.arrayContaining([...ADDRESSES, "topic/t"]));
  expect(links.filter(({ address }) => address === ADDRESSES[0]).length).toBeGreaterThanOrEqual(all.length);
  const dw = stack.start("dw", ["queue", "list", "-r", `localhost:${router.port}`, "--json"]);
  expect((await dw.exited).code).toBe(0);
  const listed = JSON.parse(dw.lines.join("\n")) as { address: string; consumers: number }[];
  expect(listed.find(({ address }) => address === ADDRESSES[0])?.consumers).toBeGreaterThan(0);
  for (const address of ADDRESSES.slice(0, 3)) {
    const purge = stack.start("dw", ["queue", "purge", address, "-r", `localhost:${router.port}`]);
    expect((await purge.exited).code).toBe(0);
  }
  // Of these two, each is at another process; what is moved there and back is moved twice.
  for (const body of ["one", "two", "three"])
    await send(first?.connection.open_sender("parcels/a") as rhea.Sender, { body });
  for (const [from, to] of [
    ["parcels/a", "parcels/b"],
    ["parcels/b", "parcels/a"],
  ] as const) {
    const move = stack.start("dw", ["queue", "move", from, to, "-r", `localhost:${router.port}`, "--json"]);
    expect((await move.exited).code).toBe(0);
    expect(JSON.parse(move.lines.join("\n"))).toEqual({ moved: 3 });
  }
  const parcels: unknown[] = [];
  const taker = second?.connection.open_receiver("parcels/a");
  taker?.on("message", ({ message }: rhea.EventContext) => parcels.push(message?.body));
  await eventually(() => expect(parcels).toEqual(["one", "two", "three"]));
  const metrics = await (await fetch(`http://127.0.0.1:${router.adminPort}/metrics`)).text();
  expect(metrics).toContain("datawire_router_log_writable 1");
  for (const client of all) client.close();
  expect(await router.end("SIGTERM")).toBe(0);
});

test(`nothing is lost when one process is killed, which is started again alone, ${ROUNDS} rounds`, async () => {
  const router = await RouterProcess.start(stack, {
    processes: 2,
    addresses: [{ match: "**", max_deliveries: 1_000 }],
  });
  const sent = new Set<string>();
  const accepted = new Set<string>();
  const received = new Set<string>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const all = await clients(router);
    for (const [index, client] of all.entries()) {
      let waiting = 0;
      const sender = client.send(ADDRESSES[index % ADDRESSES.length] as string, () => {
        if (waiting >= 20) return null;
        waiting++;
        const body = `${next++}`;
        sent.add(body);
        return body;
      });
      for (const outcome of ["accepted", "released"]) sender.on(outcome, () => waiting--);
      sender.on("released", () => sender.emit("sendable"));
      client.receive(ADDRESSES[(index + 1) % ADDRESSES.length] as string, { credit: 10 });
    }
    const count = (): number => all.reduce((sum, client) => sum + client.received.length, 0);
    await eventually(() => expect(count()).toBeGreaterThan(500));
    const before = processesOf(router.pid);
    const [victim, other] = round % 2 === 0 ? before : before.toReversed();
    process.kill(victim as number, "SIGKILL");
    await eventually(async () => {
      const now = processesOf(router.pid);
      expect(now).toContain(other);
      expect(now.filter((pid) => !before.includes(pid)).length).toBe(1);
      expect((await router.status()).problems).toEqual([]);
    });
    for (const client of all) {
      for (const body of client.accepted) accepted.add(body);
      for (const body of client.received) received.add(body);
      client.close();
    }
  }
  const rest = await RheaClient.connect(router.port, "rest");
  for (const address of ADDRESSES) rest.receive(address);
  await eventually(() => {
    const all = new Set([...received, ...rest.received]);
    expect([...accepted].filter((body) => !all.has(body))).toEqual([]);
  });
  expect([...received, ...rest.received].filter((body) => !sent.has(body))).toEqual([]);
  rest.close();
});

test(`a move between two processes takes each message once, though either is killed meanwhile, ${MOVES} rounds`, async () => {
  const router = await RouterProcess.start(stack, { processes: 2 });
  // Each of these is at another process.
  const [from, to] = ["parcels/a", "parcels/b"];
  const bodies = Array.from({ length: 3_000 }, (_, index) => `${index}`);
  const waiting = async (address: string): Promise<number> =>
    (await router.status()).queues.find((queue) => queue.address === address)?.messages ?? 0;
  let cutShort = 0;
  for (let round = 0; round < MOVES || (cutShort === 0 && round < 20); round++) {
    const client = await RheaClient.connect(router.port, "mover");
    await client.sendAll(from, bodies);
    const before = processesOf(router.pid);
    const move = stack.start("dw", ["queue", "move", from, to, "-r", `localhost:${router.port}`, "--json"]);
    const ended = move.exited.then(() => true);
    while ((await waiting(to)) === 0) if (await Promise.race([ended, sleep(1)])) break;
    process.kill(before[round % 2] as number, "SIGKILL");
    await ended;
    if ((await eventually(() => waiting(from))) > 0) cutShort++;
    await eventually(async () => {
      expect(processesOf(router.pid).filter((pid) => !before.includes(pid)).length).toBe(1);
      expect((await router.status()).problems).toEqual([]);
    });
    const reader = await RheaClient.connect(router.port, "reader");
    for (const address of [from, to]) reader.receive(address);
    await eventually(() => expect(reader.settled.size).toBe(bodies.length));
    expect(reader.received.toSorted()).toEqual(bodies.toSorted());
    reader.close();
    client.close();
  }
  expect(cutShort).toBeGreaterThan(0);
  expect(await router.end("SIGTERM")).toBe(0);
});

test("messages stay where they are found when there are more processes, or fewer, or the one that starts them is killed", async () => {
  const router = await RouterProcess.start(stack, { processes: 2 });
  const bodies: string[] = [];
  const fill = async (): Promise<void> => {
    const client = await RheaClient.connect(router.port, `filler-${bodies.length}`);
    for (const address of ADDRESSES) {
      const body = `${bodies.length}`;
      bodies.push(body);
      await send(client.connection.open_sender(address), { body });
    }
    client.close();
  };
  await fill();
  await router.end("SIGTERM");
  await router.restart({ processes: 3 });
  await fill();
  await router.end("SIGKILL");
  await router.restart({ processes: 1 });
  await fill();
  const client = await RheaClient.connect(router.port, "reader");
  for (const address of ADDRESSES) client.receive(address);
  await eventually(() => expect(client.settled.size).toBe(bodies.length));
  expect([...client.received].sort()).toEqual([...bodies].sort());
  // Each address had its messages in their order.
  for (const [index] of ADDRESSES.entries()) {
    const mine = client.received.map(Number).filter((body) => body % ADDRESSES.length === index);
    expect(mine).toEqual(mine.toSorted((a, b) => a - b));
  }
  client.close();
  await router.end("SIGTERM");
  // With nothing left in them, the logs of other times go.
  await router.restart({ processes: 1 });
  const folder = join(stack.folder, `router-${router.port}`);
  await eventually(() => expect(readdirSync(folder).filter((name) => name.startsWith("log-"))).toEqual([]));
  expect(existsSync(join(folder, "log"))).toBe(true);
  expect(await router.end("SIGTERM")).toBe(0);
});
