import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  connect,
  type ConnectOptions,
  type Message,
  type Microserver,
  Reject,
  type Stall,
} from "@datawire/microserver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Our own library at a real router, which is killed under it. */
let stack: Stack;
const open: Microserver[] = [];
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await stack.dispose();
});

async function microserver({ port }: RouterProcess, options: ConnectOptions = {}): Promise<Microserver> {
  const made = await connect({ url: `amqp://127.0.0.1:${port}`, ...options });
  open.push(made);
  return made;
}

/** What keeps this process alive: how many of each kind, but for the processes of the test itself. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!["PipeWrap", "ProcessWrap", "Immediate"].includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "none",
    (error: { code?: string }) => error.code ?? error,
  );

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("microservers send, listen, ask, refuse and follow topics, and leave nothing behind", async () => {
  const router = await RouterProcess.start(stack);
  const before = resources();
  const one = await microserver(router, { name: "one" });
  const two = await microserver(router);
  const body = {
    text: "hello",
    at: new Date(5),
    big: 12n,
    far: 2 ** 40,
    bytes: new Uint8Array([1, 2]),
    list: [null, true],
  };
  const got: Message[] = [];
  await one.listen("//orders", (message) => {
    got.push(message);
    if (message.subject === "refuse") throw new Reject("no such book");
    if (message.subject === "again" && message.deliveryCount === 0) throw new Error("not now");
    return { ordered: message.body };
  });
  expect(await two.send("orders", body, { id: "m1", properties: { colour: "red" } })).toEqual({
    address: "orders",
    id: "m1",
  });
  await eventually(() => expect(got.length).toBe(1));
  expect(got[0]).toMatchObject({ id: "m1", body, properties: { colour: "red" }, deliveryCount: 0, offset: null });
  expect((await two.request("orders", 7)).body).toEqual({ ordered: 7 });

  await two.send("orders", null, { subject: "again" });
  await eventually(() => expect(got.filter(({ subject }) => subject === "again").length).toBe(2));
  await two.send("orders", "bad", { subject: "refuse" });
  for await (const dead of two.subscribe("dead/orders")) {
    expect(dead.annotations["x-opt-datawire-reason"]).toBe("no such book");
    break;
  }

  expect(await one.lastOffset("topic/news")).toBe(null);
  for (const n of numbers(5)) await two.send("topic/news", n);
  const read: unknown[] = [];
  for await (const { body: news, offset } of one.subscribe("topic/news", { from: "first", name: "reader" })) {
    read.push([news, offset]);
    if (read.length === 3) break;
  }
  expect(await one.lastOffset("topic/news")).toBe(Number((read[2] as unknown[])[1]) + 2);
  // It was not accepted: the loop did not ask for another.
  for await (const { body: news } of one.subscribe("topic/news", { name: "reader" })) {
    expect(news).toBe(2);
    break;
  }
  expect(read.map((pair) => (pair as unknown[])[0])).toEqual([0, 1, 2]);

  const stop = new AbortController();
  const wait = codeOf(one.subscribe("nothing", { signal: stop.signal })[Symbol.asyncIterator]().next());
  stop.abort();
  expect(await wait).toBe("aborted");
  expect(await codeOf(two.request("nobody", 1, { timeoutMs: 100 }))).toBe("timeout");
  expect(await codeOf(two.send("no address!", 1))).toBe("invalid_argument");
  expect(one.status).toMatchObject({ state: "connected", outbox: { messages: 0 } });
  await Promise.all([one.close(), two.close()]);
  expect(await codeOf(one.send("orders", 1))).toBe("closed");
  await eventually(() => {
    expect([...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0))).toEqual([]);
  });
});

test("onStall has the reason that the router has: an address that is full, one that nobody receives from", async () => {
  const router = await RouterProcess.start(stack, { addresses: [{ match: "small", kind: "queue", max_messages: 1 }] });
  const stalls = new Map<string, string>();
  const sender = await microserver(router, {
    stallMs: 10,
    // Until the router has been asked, it is a link without credit.
    onStall: ({ address, reason }) => void stalls.set(address, reason),
  });
  await sender.send("small", 1);
  const sends = [sender.send("small", 2), sender.send("direct/nobody", 3)];
  await eventually(() =>
    expect(stalls).toEqual(
      new Map([
        ["small", "limit"],
        ["direct/nobody", "no-consumer"],
      ]),
    ),
  );
  const receiver = await microserver(router);
  await receiver.listen("small", () => {});
  await receiver.listen("direct/nobody", () => {});
  await Promise.all(sends);
});

test("500 sends and a pipeline arrive once each, though the router is killed in the middle again and again", async () => {
  const router = await RouterProcess.start(stack);
  const [sender, stage, receiver] = [await microserver(router), await microserver(router), await microserver(router)];
  const got: unknown[] = [];
  await receiver.listen("invoices", ({ body }) => void got.push(body), { concurrency: 20 });
  await stage.pipeline("orders", ["invoices"], ({ body }) => ({ body }));
  const accepted: Promise<unknown>[] = [];
  let done = 0;
  for (const n of numbers(500)) accepted.push(sender.send("orders", n).then(() => done++));
  for (const part of [100, 300]) {
    await eventually(() => expect(done).toBeGreaterThanOrEqual(part));
    await router.end("SIGKILL");
    await router.start();
  }
  await Promise.all(accepted);
  await eventually(() => expect(got.length).toBeGreaterThanOrEqual(500));
  await Promise.all([sender.close(), stage.close(), receiver.close()]);
  await eventually(async () => {
    const { queues } = await router.status();
    expect(queues.filter(({ messages }) => messages > 0)).toEqual([]);
  });
  expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(500));
});

test("microservers may come before the router, and a folder keeps what was not accepted", async () => {
  const router = await RouterProcess.start(stack);
  await router.end("SIGTERM");
  const folder = join(stack.folder, "outbox");
  const stalls: Stall[] = [];
  const first = await microserver(router, { outbox: folder, stallMs: 10, onStall: (stall) => stalls.push(stall) });
  const sends = numbers(20).map((n) => codeOf(first.send("kept", n)));
  await eventually(() =>
    expect(stalls).toMatchObject([{ address: "kept", role: "sender", reason: "waits-for-upstream" }]),
  );
  expect(await codeOf(connect({ outbox: folder }))).toBe("storage");
  await first.close();
  expect(new Set(await Promise.all(sends))).toEqual(new Set(["closed"]));
  expect(readdirSync(folder).length).toBe(20);

  const got: unknown[] = [];
  const receiver = await microserver(router);
  await receiver.listen("kept", ({ body }) => void got.push(body), { concurrency: 1 });
  const second = await microserver(router, { outbox: folder });
  await router.start();
  await second.send("kept", 20);
  await eventually(() => expect(got).toEqual(numbers(21)));
  await second.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("examples/messaging/invoices.ts, which docs/messaging.md shows, does what it says and ends", async () => {
  const router = await RouterProcess.start(stack);
  const env = { ...process.env, DATAWIRE_ROUTER: `127.0.0.1:${router.port}` };
  const example = join(import.meta.dirname, "../examples/messaging/invoices.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [example], { env });
  expect(stdout.split("\n").slice(0, 2).sort()).toEqual([
    '{"book":"Emma","toPay":12}',
    '{"book":"Ulysses","toPay":10}',
  ]);
  expect(stdout.split("\n").slice(2)).toEqual(['{"book":"Ulysses","price":-1} a price below nothing', ""]);
});
