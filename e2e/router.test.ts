import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { asRoot } from "./harness/as-root.ts";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** A real router, killed and started again, with clients of others at both ends. */
const ROUNDS = scaled(200, 3);

vi.setConfig({ testTimeout: scaled(3_600_000, 60_000) });

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
  first.receive("//localhost/orders", { credit: 2 });
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
    await sleep(100 + Math.random() * 300);
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
  expect(second.lines.join("\n")).toContain("another router uses it");
  const open = stack.start("router", ["--listen", "0.0.0.0:0", "--check"]);
  expect((await open.exited).code).toBe(78);
  expect(open.lines.join("\n")).toContain("router.yaml: 0.0.0.0:0 is reached from other machines");
});

test("a client too many is told so, and costs nobody else anything", async () => {
  const router = await RouterProcess.start(stack, { limits: { connections: 2 } });
  const clients = await Promise.all([1, 2].map((id) => RheaClient.connect(router.port, `c${id}`)));
  expect(await RheaClient.refusal(router.port)).toContain("limits.connections");
  await clients[0]?.sendAll("orders", ["still here"]);
  for (const client of clients) client.close();
});

test("dw sends and listens, and says what there is and why nothing moves", async () => {
  const router = await RouterProcess.start(stack);
  const dw = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
    const [verb = "", ...rest] = args;
    const noun = ["queue", "link"].includes(verb) ? rest.splice(0, 1) : [];
    const child = stack.start("dw", [verb, ...noun, "-r", `localhost:${router.port}`, ...rest]);
    const { code } = await child.exited;
    return { code, output: child.lines.join("\n") };
  };
  const listening = dw("listen", "//orders", "--count", "2");
  expect(await dw("send", "//orders", "hello", "world")).toEqual({ code: 0, output: "note: 2 accepted" });
  expect(await listening).toEqual({ code: 0, output: "hello\nworld" });
  expect((await dw("send", "//topic/news", "a", "--json")).output.replaceAll(/\s/g, "")).toBe(
    '{"sent":1,"accepted":1,"rejected":0,"released":0}',
  );
  expect(
    JSON.parse((await dw("listen", "topic/news", "--from", "first", "--count", "1", "--json")).output),
  ).toMatchObject({
    address: "topic/news",
    body: "a",
    offset: 1,
  });
  await dw("send", "orders", "waits");
  expect(await dw("why", "orders")).toEqual({
    code: 0,
    output: "orders is stalled: 1 message waits, and nobody receives",
  });
  expect(JSON.parse((await dw("queue", "list", "--json")).output)).toMatchObject([
    { address: "orders", kind: "queue", state: "stalled", reason: "no-consumer", messages: 1, consumers: 0, dead: 0 },
    { address: "topic/news", kind: "topic" },
  ]);
  const idle = await RheaClient.connect(router.port, "sleeper");
  idle.receive("orders", { credit: 0 });
  await eventually(async () => {
    const { output } = await dw("link", "list", "--json");
    expect(JSON.parse(output)).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({
          container: "sleeper",
          direction: "out",
          address: "orders",
          state: "stalled",
          reason: "no-credit",
          lag: 1,
        }),
      ]) as object,
    );
  });
  expect((await dw("why", "orders")).output).toContain("1 message waits, and none of 1 consumer gives credit");
  idle.close();
  expect((await dw("listen", "orders", "--keep", "--count", "1")).output).toBe("waits");
  expect((await dw("queue", "purge", "orders")).output).toBe("note: 1 messages dropped");
  expect((await dw("listen", "orders", "--timeout", "100ms")).code).toBe(1);
  const client = await RheaClient.connect(router.port);
  client.connection.open_receiver({ source: "orders", autoaccept: false }).on("message", ({ delivery }) => {
    delivery?.reject({ condition: "my:reason", description: "ugly" });
  });
  await dw("send", "orders", "bad", "--subject", "s");
  client.close();
  const dead = async (): Promise<unknown> => JSON.parse((await dw("queue", "dead", "list", "orders", "--json")).output);
  expect(await dead()).toMatchObject([{ reason: "ugly", subject: "s" }]);
  expect((await dw("queue", "dead", "retry", "orders")).output).toBe("note: 1 messages put back");
  expect(await dead()).toEqual([]);
  expect((await dw("queue", "move", "orders", "elsewhere")).output).toBe("note: 1 messages moved");
  expect((await dw("listen", "elsewhere", "--count", "1")).output).toBe("bad");
  expect(await dw("send", "a b", "x")).toMatchObject({
    code: 1,
    output: expect.stringContaining("as an address") as string,
  });
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
    await eventually(() => expect(new Set(receiver.received).size).toBe(5_000), 30_000);
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
