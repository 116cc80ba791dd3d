import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asRoot } from "./harness/as-root.ts";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** A real router, killed and started again, with clients of others at both ends. */
const ROUNDS = scaled(200, 3);

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

test("a message that was accepted is there after kill -9, and gone for good once it is settled", async () => {
  const router = await RouterProcess.start(stack);
  const sender = await RheaClient.connect(router.port);
  await sender.sendAll("orders", ["one", "two", "three"]);
  await router.end("SIGKILL");
  await router.start();

  const first = await RheaClient.connect(router.port);
  // Two and no more: of a third one that is being settled when the router is killed nobody knows whether it was.
  first.receive("//localhost/orders", { credit: 0 }).add_credit(2);
  await eventually(() => expect(first.received.length).toBeGreaterThanOrEqual(2));
  await eventually(() => expect(first.settled.size).toBeGreaterThanOrEqual(2));
  const gone = [...first.settled];
  await router.end("SIGKILL");
  await router.start();

  const rest = await RheaClient.connect(router.port);
  rest.receive("orders");
  await eventually(() => expect([...gone, ...rest.received].sort()).toEqual(["one", "three", "two"]));
  rest.close();
  expect(await router.end("SIGTERM")).toBe(0);
});

test(`nothing that was accepted is lost, and nothing invented, in ${ROUNDS} rounds of kill -9`, async () => {
  const router = await RouterProcess.start(stack, {
    addresses: [{ match: "orders/**", max_deliveries: 1_000_000 }],
    // Several begin and end in each round.
    log: { segment: "1MiB" },
  });
  const sent = new Set<string>();
  const accepted = new Set<string>();
  /** Whose acceptance the router has confirmed, so that it may never come again. */
  const settled = new Set<string>();
  const received = new Set<string>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const clients = await Promise.all([0, 1].map(() => RheaClient.connect(router.port)));
    clients.forEach((client, index) => {
      client.send(`orders/${index}`, () => {
        const body = `${index}:${next++}:${"x".repeat(next % 2_000)}`;
        sent.add(body);
        return body;
      });
      client.receive(`orders/${index}`, { credit: 50 });
    });
    await eventually(() => expect(clients.reduce((sum, client) => sum + client.accepted.size, 0)).toBeGreaterThan(100));
    await sleep(Math.random() * 300); // at any moment
    await router.end("SIGKILL");
    for (const client of clients) {
      for (const body of client.received) {
        expect(sent.has(body)).toBe(true);
        // It may have been confirmed in this round: what was in an earlier one is gone.
        expect(settled.has(body)).toBe(false);
        received.add(body);
      }
      client.connection.removeAllListeners("message");
    }
    for (const client of clients) {
      for (const body of client.accepted) accepted.add(body);
      for (const body of client.settled) settled.add(body);
    }
    await router.start();
  }
  const { problems } = await router.status();
  expect(problems).toEqual([]);
  const rest = await RheaClient.connect(router.port);
  for (const index of [0, 1]) rest.receive(`orders/${index}`);
  await eventually(async () => {
    const { queues } = await router.status();
    expect(queues.map(({ messages }) => messages)).toEqual([0, 0]);
  });
  for (const body of rest.received) {
    expect(settled.has(body)).toBe(false);
    received.add(body);
  }
  expect([...accepted].filter((body) => !received.has(body))).toEqual([]);
  expect([...received].filter((body) => !sent.has(body))).toEqual([]);
  expect(accepted.size).toBeGreaterThan(100 * ROUNDS);
  rest.close();
});

test("two routers do not share a folder, and a bad configuration is told with its place", async () => {
  const router = await RouterProcess.start(stack);
  const second = stack.start("router", [
    "--data-dir",
    `${stack.folder}/router-${router.port}`,
    "--admin",
    "off",
    "-p",
    "0",
  ]);
  expect((await second.exited).code).toBe(1);
  expect(second.lines.join("\n")).toMatch(/another router, with process id \d+, uses it/);
  const open = stack.start("router", ["--listen", "0.0.0.0:0", "--check"]);
  expect((await open.exited).code).toBe(78);
  expect(open.lines.join("\n")).toContain("router.yaml: 0.0.0.0:0 is reached from other machines");
});

test("a client too many is told so, and costs nobody else anything", async () => {
  const router = await RouterProcess.start(stack, { limits: { connections: 2, links: 3, unsettled: 1 } });
  const clients = await Promise.all([1, 2].map((id) => RheaClient.connect(router.port, `c${id}`)));
  expect(await RheaClient.refusal(router.port)).toContain("limits.connections");
  await clients[0]?.sendAll("orders", ["still here"]);
  const [first] = clients;
  const links = ["a", "b", "c", "d"].map((name) => first?.connection.open_receiver(name));
  const [refused] = (await once(links.at(-1) as NodeJS.EventEmitter, "receiver_error")) as [rhea.EventContext];
  expect(refused.receiver?.error).toMatchObject({
    description: "Cannot attach: the connection has 3 links (limits.links)",
  });
  const metrics = await (await fetch(`http://127.0.0.1:${router.adminPort}/metrics`)).text();
  expect(metrics).toContain('datawire_router_refusals_total{limit="connections"} 1');
  expect(metrics).toContain('datawire_router_refusals_total{limit="links"} 1');
  for (const client of clients) client.close();
});

test("a full disk stops senders, and consumers make room for them", async () => {
  const disk = join(stack.folder, "disk");
  mkdirSync(disk, { mode: 0o700 });
  const mounted = asRoot(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "none", disk]);
  execFileSync(mounted[0], mounted.slice(1));
  try {
    const router = await RouterProcess.start(stack, { data_dir: disk, log: { reserve: "512KiB" } });
    const sender = await RheaClient.connect(router.port);
    let next = 0;
    sender.send("orders", () => (next < 5_000 ? `${next++}:${"x".repeat(1_000)}` : null));
    await eventually(async () => {
      const { queues, problems } = await router.status();
      expect(queues).toMatchObject([{ address: "orders", state: "full", reason: "disk-full" }]);
      expect(problems).toMatchObject([{ subject: "log" }]);
    });
    const stopped = sender.accepted.size;
    expect(stopped).toBeLessThan(5_000);
    // Over the connection on which more is on its way than the reserve takes.
    const receiver = sender;
    receiver.receive("orders");
    // All of it, in order, and what did not fit at first too.
    await eventually(() => expect(new Set(receiver.received).size).toBe(5_000));
    await eventually(() => expect(sender.accepted.size).toBe(5_000));
    expect(receiver.received.map((body) => Number(body.split(":", 1)[0]))).toEqual(
      Array.from({ length: 5_000 }, (_, i) => i),
    );
    await eventually(async () => expect((await router.status()).problems).toEqual([]));
    await router.end("SIGTERM");
  } finally {
    const unmounted = asRoot(["umount", "-l", disk]);
    execFileSync(unmounted[0], unmounted.slice(1));
  }
});
