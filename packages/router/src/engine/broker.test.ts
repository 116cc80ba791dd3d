import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { Chance } from "@datawire/protocol/testing/chance";
import { beforeEach, expect, test } from "vitest";
import { encodeControl } from "../log/record.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import type { Outcome } from "../queue/delivery.ts";
import { lookAt, moveMessages } from "./moves/mover.ts";
import { settled, TestReceiver, TestSender, textOf } from "./testing/links.ts";
import type { Verdict } from "./ports.ts";
import { openBroker, rule } from "./testing/open-broker.ts";

let clock: FakeClock;
let disk: SimulatedDisk;
beforeEach(() => {
  clock = createFakeClock();
  disk = new SimulatedDisk(new Chance(1));
});
const FAILED: Outcome = { outcome: "modified", failed: true, undeliverableHere: false };

/** As a machine that loses power and starts again. */
async function restart(options: Parameters<typeof openBroker>[2] = {}) {
  disk.crash();
  return openBroker(disk.boot(), clock, options);
}

test("Broker accepts what is on disk, and has it after a loss of power", async () => {
  const broker = await restart();
  const sender = new TestSender(broker, "orders");
  sender.send("a");
  expect(sender.safe).toEqual([]);
  await settled();
  expect(sender.safe).toEqual(["a"]);
  sender.send("b");
  const again = await restart();
  const receiver = new TestReceiver(again, "orders");
  await settled();
  expect(receiver.texts[0]).toBe("a");
});

test("Broker refuses a log with a note of a newer version: what it tells of would be lost", async () => {
  const broker = await restart();
  new TestSender(broker, "orders").send("a");
  broker.log.record(encodeControl({ is: "mirrored", id: 1 }));
  await settled();
  await expect(restart()).rejects.toThrow('there is a note of an unknown kind, {"is":"mirrored","id":1}');
});

test("Broker confirms what is on disk, and never gives it again", async () => {
  const broker = await restart();
  const sender = new TestSender(broker, "orders");
  for (const text of ["a", "b", "c"]) sender.send(text);
  const receiver = new TestReceiver(broker, "orders");
  await settled();
  receiver.settle(receiver.got[0]!);
  receiver.settle(receiver.got[2]!);
  expect(receiver.confirmed).toEqual([]);
  await settled();
  expect(receiver.confirmed).toEqual([1, 3]);
  const after = new TestReceiver(await restart(), "orders");
  await settled();
  expect(after.texts).toEqual(["b"]);
});

test("Broker keeps failed deliveries, and buries at max_deliveries, across restarts", async () => {
  const options = { rules: [rule("orders", { maxDeliveries: 3 })] };
  let broker = await restart(options);
  new TestSender(broker, "orders").send("a");
  for (let life = 0; life < 3; life++) {
    const receiver = new TestReceiver(broker, "orders");
    await settled();
    expect(receiver.got.map(({ failures }) => failures)).toEqual([life]);
    receiver.settle(receiver.got[0]!, FAILED);
    await settled();
    broker = await restart(options);
  }
  const [orders, dead] = [new TestReceiver(broker, "orders"), new TestReceiver(broker, "dead/orders")];
  await settled();
  expect([orders.texts, dead.texts]).toEqual([[], ["a [orders: delivered 3 times in vain]"]]);
  dead.settle(dead.got[0]!, FAILED);
  await settled();
  expect(dead.texts.length).toBe(2);
});

test("Broker drops a copy, across restarts, by producer and by id", async () => {
  const options = { rules: [rule("ids", { dedupeMs: 60_000 })] };
  let broker = await restart(options);
  const send = async (address: string, more: Parameters<TestSender["send"]>[1]) => {
    const sender = new TestSender(broker, address);
    expect(sender.send("x", more)).toBeNull();
    await settled();
    expect(sender.safe).toEqual(["x"]);
    sender.sink.detach();
  };
  const count = (address: string) => {
    const found = broker.find(address);
    return found !== null && "kept" in found ? found.kept.messages : 0;
  };
  await send("orders", { producer: { name: "p", sequence: 2 } });
  await send("orders", { producer: { name: "p", sequence: 2 } });
  await send("ids", { id: "s:1" });
  broker = await restart(options);
  await send("orders", { producer: { name: "p", sequence: 1 } });
  await send("orders", { producer: { name: "q", sequence: 1 } });
  await send("orders", { producer: { name: "p", sequence: 3 } });
  await send("ids", { id: "s:1" });
  expect([count("orders"), count("ids")]).toEqual([3, 1]);
  await clock.advance(60_000);
  await send("ids", { id: "s:1" });
  expect(count("ids")).toBe(2);
});

test.each([-400 * 86_400_000, 400 * 86_400_000])(
  "Broker loses nothing and keeps its word on time when the wall clock jumps by %i ms",
  async (jumpMs) => {
    const options = { rules: [rule("ids", { dedupeMs: 60_000 })] };
    let broker = await restart(options);
    const sender = new TestSender(broker, "orders");
    new TestSender(broker, "topic/news").send("kept");
    new TestSender(broker, "ids").send("one", { id: "s:1" });
    sender.send("minute", { ttlMs: 60_000 });
    sender.send("hour", { ttlMs: 3_600_000 });
    await settled();
    clock.jumpWallClock(jumpMs);
    broker.tick();
    new TestSender(broker, "ids").send("two", { id: "s:1" });
    await settled();
    expect([...broker.kept].map(({ kept }) => kept.messages).toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
    await clock.advance(60_000);
    broker.tick();
    const receiver = new TestReceiver(broker, "orders");
    await settled();
    expect(receiver.texts).toEqual(["hour"]);
    if (jumpMs > 0) return;
    // A start whose clock is behind lets nothing live for a year more.
    broker = await restart(options);
    await clock.advance(3_600_000);
    broker.tick();
    expect(broker.find("orders")).toMatchObject({ counters: { expired: 1 } });
  },
);

test.each([-3_600_000, 3_600_000])(
  "Broker ends a message at the moment that its sender says, though the clock was set by %i ms since the start",
  async (jumpMs) => {
    const broker = await restart();
    clock.jumpWallClock(jumpMs);
    const offer = (address: string, text: string, afterMs: number): Verdict => {
      const expiresAtMs = clock.nowMs() + afterMs;
      const { sink } = new TestSender(broker, address);
      return sink.offer({ payload: Buffer.from(text), ttlMs: 0, expiresAtMs, keys: null }, text);
    };
    const receiver = new TestReceiver(broker, "direct/x");
    expect(offer("direct/x", "over", -1)).toMatchObject({ condition: "amqp:precondition-failed" });
    expect(offer("direct/x", "in time", 1_000)).toBeNull();
    expect(receiver.texts).toEqual(["in time"]);
    offer("orders", "over", -1);
    offer("orders", "soon", 1_000);
    offer("orders", "later", 2_000);
    await settled();
    expect(broker.queue("orders").kept.messages).toBe(2);
    await clock.advance(1_000);
    const orders = new TestReceiver(broker, "orders");
    await settled();
    expect(orders.texts).toEqual(["later"]);
  },
);

test.each([600, 2 ** 26])(
  "Broker knows ids no longer than it should after a start whose clock is behind, in segments of %i",
  async (segmentBytes) => {
    const options = { rules: [rule("ids", { dedupeMs: 60_000 })], log: { segmentBytes } };
    let broker = await restart(options);
    new TestSender(broker, "ids").send("one", { id: "s:1" });
    const other = new TestSender(broker, "orders");
    for (let index = 0; index < 40; index++) {
      other.send("a message that makes segments, which begin with what is known");
      await settled();
    }
    clock.jumpWallClock(-86_400_000);
    broker = await restart(options);
    new TestSender(broker, "ids").send("two", { id: "s:1" });
    await settled();
    expect(broker.queue("ids").kept.messages).toBe(1);
    await clock.advance(60_000);
    new TestSender(broker, "ids").send("three", { id: "s:1" });
    await settled();
    expect(broker.queue("ids").kept.messages).toBe(2);
  },
);

test("Broker tells a durable subscription what it missed and drops what has expired, across restarts", async () => {
  const options = {
    rules: [rule("topic/**", { overflow: "drop-oldest", retention: { ageMs: null, bytes: 80 } })],
    log: { segmentBytes: 600 },
  };
  let broker = await restart(options);
  const receive = () => new TestReceiver(broker, "topic/news", { subscription: "mine", from: { at: "first" } });
  receive().source.detach(false);
  const sender = new TestSender(broker, "topic/news");
  for (const text of ["a", "b", "c", "d", "e"]) sender.send(text);
  sender.send("short", { ttlMs: 10 });
  sender.send("f");
  await settled();
  await clock.advance(10);
  broker.tick();
  await settled();
  broker = await restart(options);
  const kept = broker.find("topic/news");
  expect(kept !== null && "kept" in kept && kept.kept.messages).toBe(2);
  const receiver = receive();
  await settled();
  expect(receiver.got.map((one) => [textOf(one), one.missed])).toEqual([
    ["e", 4],
    ["f", 0],
  ]);
  for (const one of receiver.got) receiver.settle(one);
  await settled();
  const next = new TestSender(broker, "topic/news");
  for (let more = 0; more < 40; more++) next.send("more");
  await settled();
  receiver.source.detach(false);
  // It has them in the snapshot of a segment now.
  broker = await restart(options);
  const again = receive();
  await settled();
  expect(
    again.got
      .map((one) => one.missed)
      .slice(1)
      .every((missed) => missed === 0),
  ).toBe(true);
});

test("Broker gives no credit at max_messages, and again when there is room", async () => {
  const broker = await restart({ rules: [rule("orders", { maxMessages: 3 })] });
  const [one, two] = [new TestSender(broker, "orders"), new TestSender(broker, "orders")];
  expect(one.credit + two.credit).toBeLessThanOrEqual(3);
  let sent = 0;
  for (let round = 0; round < 10; round++) {
    for (const sender of [one, two]) {
      if (sender.credit > 0) {
        sender.send(`m${sent++}`);
        await settled();
      }
    }
  }
  expect([sent, one.credit, two.credit]).toEqual([3, 0, 0]);
  const found = broker.find("orders");
  expect(found !== null && "limitReason" in found && found.limitReason).toBe("it has max_messages, 3");
  const receiver = new TestReceiver(broker, "orders", { credit: 1 });
  await settled();
  receiver.settle(receiver.got[0]!);
  await settled();
  expect(one.credit + two.credit).toBe(1);
});

test("Broker rejects, or drops the oldest, where the rule says so", async () => {
  const broker = await restart({
    rules: [
      rule("strict", { maxMessages: 1, overflow: "reject" }),
      rule("loose", { maxBytes: 200, overflow: "drop-oldest" }),
    ],
  });
  const strict = new TestSender(broker, "strict");
  expect(strict.send("a")).toBeNull();
  expect(strict.send("b")).toEqual({
    outcome: "rejected",
    condition: "amqp:resource-limit-exceeded",
    description: "Cannot take a message at strict: it has max_messages, 1",
  });
  const loose = new TestSender(broker, "loose");
  for (const text of ["a", "b", "c"]) expect(loose.send(text.repeat(50))).toBeNull();
  await settled();
  const receiver = new TestReceiver(broker, "loose");
  await settled();
  expect(receiver.texts.map(([first]) => first)).toEqual(["b", "c"]);
});

test("Broker stops senders at a full disk, lets consumers go on, and accepts when there is room", async () => {
  const broker = await restart({ log: { retryMs: 10 } });
  const sender = new TestSender(broker, "orders");
  sender.send("a");
  await settled();
  disk.capacity = 0;
  sender.send("b".repeat(1_000));
  await settled();
  expect([broker.trouble, sender.credit, sender.safe]).toEqual(["disk-full", 0, ["a"]]);
  const receiver = new TestReceiver(broker, "orders");
  await settled();
  expect(receiver.texts).toEqual(["a"]);
  receiver.settle(receiver.got[0]!);
  await settled();
  expect(receiver.confirmed).toEqual([]);
  disk.capacity = 10_000;
  await clock.advance(20);
  await settled();
  expect([broker.trouble, sender.safe.length, receiver.confirmed]).toEqual([null, 2, [1]]);
  expect(sender.credit).toBeGreaterThan(100);
});

test("Broker gets out of a full disk by what its consumers settle", async () => {
  const log = { retryMs: 10, segmentBytes: 2_000, reserveBytes: 3_000 };
  const broker = await restart({ log });
  const sender = new TestSender(broker, "orders");
  disk.capacity = 16_000;
  let sent = 0;
  for (let round = 0; round < 40 && sender.credit > 0; round++) {
    sender.send(`${sent++}:${"x".repeat(800)}`);
    await settled();
    await clock.advance(1);
  }
  expect([broker.trouble, sender.credit]).toEqual(["disk-full", 0]);
  expect(sent).toBeGreaterThan(5);
  const receiver = new TestReceiver(broker, "orders");
  for (let round = 0; round < 40 && receiver.confirmed.length < sent; round++) {
    await settled();
    for (const delivery of receiver.got.slice(receiver.confirmed.length)) receiver.settle(delivery);
    await clock.advance(20);
  }
  await settled();
  await clock.advance(20);
  await settled();
  expect([broker.trouble, sender.safe.length]).toEqual([null, sent]);
  expect(sender.credit).toBeGreaterThan(0);
  sender.send("after");
  await settled();
  expect(sender.safe.at(-1)).toBe("after");
});

test.each([16_384, 2 ** 26])(
  "Broker gets out of a full disk also where more is on its way than the reserve, in segments of %i",
  async (segmentBytes) => {
    const broker = await restart({ log: { retryMs: 10, reserveBytes: 40_000, segmentBytes } });
    disk.capacity = 200_000;
    const sender = new TestSender(broker, "orders");
    const texts = Array.from({ length: 1_000 }, (_, i) => `${i}:`.padEnd(1_000, "x"));
    for (const text of texts) expect(sender.send(text)).toBeNull();
    await settled();
    await clock.advance(100);
    expect([broker.trouble, sender.credit, broker.intake.isCongested]).toEqual(["disk-full", 0, false]);
    expect(sender.safe.length).toBeLessThan(200);
    const receiver = new TestReceiver(broker, "orders", { credit: 20 });
    for (let round = 0; round < 400 && receiver.got.length < 1_000; round++) {
      await settled();
      await clock.advance(10);
      for (const one of receiver.got.slice(receiver.confirmed.length)) receiver.settle(one);
      await settled();
      receiver.allow(20);
    }
    await settled();
    expect(receiver.texts).toEqual(texts);
    expect([sender.safe, broker.trouble]).toEqual([texts, null]);
  },
);

test("Broker gives messages back for which there is neither disk nor memory", async () => {
  const broker = await restart({ log: { retryMs: 10 } });
  const sender = new TestSender(broker, "orders");
  const large = "x".repeat(2 ** 20);
  disk.capacity = 0;
  sender.send(large);
  await settled();
  sender.credit = 100;
  const verdicts = Array.from({ length: 80 }, () =>
    sender.sink.offer({ payload: Buffer.from(large), ttlMs: 0, keys: null }, "held"),
  );
  expect(verdicts.filter((verdict) => verdict === null).length).toBe(63);
  expect(verdicts.at(-1)).toEqual({ outcome: "released" });
  disk.capacity = 2 ** 30;
  await clock.advance(20);
  for (let turn = 0; turn < 20; turn++) await settled();
  expect([sender.safe.length, broker.intake.heldBytes]).toEqual([64, 0]);
});

test("moveMessages() waits while the disk is full, and goes on", async () => {
  const broker = await restart({ log: { retryMs: 10 } });
  const sender = new TestSender(broker, "from");
  for (let i = 0; i < 900; i++) sender.send(`${i}`);
  await settled();
  disk.capacity = 0;
  const later = (next: () => void): void => broker.intake.whenTaking(next);
  const moved = moveMessages(broker.queue("from"), broker.queue("to"), { later, nowMs: broker.nowMs });
  await settled();
  expect(broker.queue("to").kept.messages).toBeLessThan(500);
  disk.capacity = 2 ** 20;
  for (let round = 0; round < 20; round++) {
    await clock.advance(20);
    await settled();
  }
  expect([await moved, broker.queue("from").kept.messages, broker.queue("to").kept.messages]).toEqual([900, 0, 900]);
});

test.each([
  ["orders", "expires", 60_000],
  ["topic/orders", "expires", 60_000],
  ["orders", "is rejected", 0],
  ["topic/orders", "is rejected", 0],
] as const)("Broker buries what of %s %s at once only as fast as the disk takes it", async (address, event, ttlMs) => {
  const count = 1_500;
  const log = { retryMs: 10, reserveBytes: 40_000, segmentBytes: 2 ** 20, cacheBytes: 50_000 };
  const broker = await restart({ log, rules: [rule(address, { expired: "dead" })] });
  const receiver = new TestReceiver(broker, address, { credit: ttlMs === 0 ? count : 0 });
  const sender = new TestSender(broker, address);
  for (let sent = 0; sent < count; sent++) {
    if (sender.credit === 0) await settled();
    sender.send(`${sent}:`.padEnd(1_000, "x"), { ttlMs });
  }
  await settled(40);
  expect([sender.safe.length, receiver.got.length]).toEqual([count, ttlMs === 0 ? count : 0]);
  disk.capacity = 0;
  await clock.advance(ttlMs);
  broker.tick();
  for (const delivery of receiver.got) receiver.settle(delivery, { outcome: "rejected", reason: event });
  await settled(40);
  expect(broker.log.backlogBytes).toBeLessThan(100_000);
  expect(receiver.confirmed).toEqual([]);
  expect(receiver.source.isBurying).toBe(event === "is rejected");
  disk.capacity = 2 ** 30;
  const dead = broker.queue(`dead/${address}`);
  let backlogMax = 0;
  for (let round = 0; round < 2_000 && dead.kept.messages < count; round++) {
    await clock.advance(10);
    backlogMax = Math.max(backlogMax, broker.log.backlogBytes);
  }
  await settled(40);
  expect(backlogMax).toBeLessThan(100_000);
  expect([dead.kept.messages, receiver.confirmed.length]).toEqual([count, receiver.got.length]);
  expect(receiver.source.isBurying).toBe(false);
});

test("Broker tells a sender late what speaks against a message that waited for the disk", async () => {
  const broker = await restart({
    log: { retryMs: 10 },
    rules: [rule("orders", { maxMessages: 2, overflow: "reject" })],
  });
  const sender = new TestSender(broker, "orders");
  sender.send("a");
  await settled();
  disk.capacity = 0;
  sender.send("b");
  await settled();
  sender.credit = 1;
  expect(sender.send("c")).toBeNull();
  disk.capacity = 2 ** 20;
  await clock.advance(20);
  await settled();
  expect(sender.safe).toEqual(["a", "b"]);
  expect(sender.declines).toMatchObject([["c", { outcome: "rejected", condition: "amqp:resource-limit-exceeded" }]]);
});

test("Broker accepts again when a disk that returned errors does not any more, and lost nothing meanwhile", async () => {
  const broker = await restart({ log: { retryMs: 10 } });
  const sender = new TestSender(broker, "orders");
  sender.send("a");
  await settled();
  disk.failsOnceIn = 1;
  sender.send("b");
  await settled();
  expect([broker.trouble, sender.credit]).toEqual(["disk", 0]);
  sender.credit = 1;
  sender.send("c");
  disk.failsOnceIn = 0;
  await clock.advance(20);
  await settled();
  expect([broker.trouble, sender.safe]).toEqual([null, ["a", "b", "c"]]);
  const receiver = new TestReceiver(await restart(), "orders");
  await settled();
  expect(receiver.texts).toEqual(["a", "b", "c"]);
});

test("Broker keeps a durable subscription until it is closed, across restarts", async () => {
  let broker = await restart();
  const options = { subscription: "app/log" };
  let receiver = new TestReceiver(broker, "topic/log", options);
  new TestSender(broker, "topic/log").send("a");
  await settled();
  expect(receiver.texts).toEqual(["a"]);
  receiver.settle(receiver.got[0]!);
  receiver.source.detach(false);
  new TestSender(broker, "topic/log").send("b");
  await settled();
  broker = await restart();
  receiver = new TestReceiver(broker, "topic/log", options);
  await settled();
  expect(receiver.texts).toEqual(["b"]);
  receiver.source.detach(true);
  new TestSender(broker, "topic/log").send("c");
  await settled();
  broker = await restart();
  receiver = new TestReceiver(broker, "topic/log", options);
  await settled();
  expect(receiver.texts).toEqual([]);
  const all = new TestReceiver(broker, "topic/log", { from: { at: "first" } });
  await settled();
  expect(all.texts).toEqual(["a", "b", "c"]);
});

test("Broker gives a durable subscription to the last link that comes for it, and keeps it when the first one goes", async () => {
  const broker = await restart();
  const options = { subscription: "app/log" };
  const first = new TestReceiver(broker, "topic/log", options);
  new TestSender(broker, "topic/log").send("a");
  await settled();
  expect(first.texts).toEqual(["a"]);
  const second = new TestReceiver(broker, "topic/log", options);
  expect(first.goneFor).toBe("stolen");
  await settled();
  expect(second.got.map((delivery) => [textOf(delivery), delivery.failures])).toEqual([["a", 1]]);
  first.source.detach(true);
  new TestSender(broker, "topic/log").send("b");
  await settled();
  expect(second.texts).toEqual(["a", "b"]);
});

test("moveMessages() moves what no consumer has, in order, and lookAt() leaves it as it was", async () => {
  const broker = await restart();
  const sender = new TestSender(broker, "from");
  for (let i = 0; i < 450; i++) sender.send(String(i));
  await settled();
  const holder = new TestReceiver(broker, "from", { credit: 1 });
  const from = broker.queue("from");
  const seen = await lookAt(from, 300, { later: setImmediate, show: textOf });
  expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => String(i + 1)));
  const moved = await moveMessages(from, broker.queue("to"), { later: setImmediate, nowMs: () => clock.nowMs() });
  expect([moved, from.kept.messages]).toEqual([449, 1]);
  await settled();
  const receiver = new TestReceiver(await restart(), "to");
  await settled();
  expect(receiver.texts).toEqual(Array.from({ length: 449 }, (_, i) => String(i + 1)));
  expect(holder.texts).toEqual(["0"]);
});

test("Broker keeps nothing of an address without persist", async () => {
  const options = { rules: [rule("fast", { persist: false })] };
  const broker = await restart(options);
  const sender = new TestSender(broker, "fast");
  sender.send("a");
  await settled();
  expect(sender.safe).toEqual(["a"]);
  const receiver = new TestReceiver(broker, "fast");
  await settled();
  expect(receiver.texts).toEqual(["a"]);
  const after = new TestReceiver(await restart(options), "fast");
  await settled();
  expect(after.texts).toEqual([]);
});

test("Broker passes messages of a direct address end to end, within the consumers' credit", async () => {
  const broker = await restart();
  const sender = new TestSender(broker, "direct/x");
  expect(sender.credit).toBe(0);
  const receiver = new TestReceiver(broker, "direct/x", { credit: 2 });
  expect(sender.credit).toBe(2);
  sender.send("a");
  sender.send("b");
  expect([sender.credit, receiver.texts]).toEqual([0, ["a", "b"]]);
  receiver.settle(receiver.got[1]!, { outcome: "rejected", reason: "no" });
  receiver.settle(receiver.got[0]!);
  expect(sender.outcomes).toEqual([
    ["b", { outcome: "rejected", reason: "no" }],
    ["a", { outcome: "accepted" }],
  ]);
  receiver.allow(1);
  sender.send("c");
  receiver.source.detach(true);
  expect(sender.outcomes.at(-1)).toEqual(["c", FAILED]);
  expect(sender.credit).toBe(0);
});

test("Broker lets a message expire that waits at a direct address for a consumer", async () => {
  const broker = await restart();
  const sender = new TestSender(broker, "direct/x");
  const receiver = new TestReceiver(broker, "direct/x", { credit: 1 });
  // What was on its way when another sender had used the credit.
  const send = (text: string, ttlMs = 0): Verdict =>
    sender.sink.offer({ payload: Buffer.from(text), ttlMs, keys: null }, text);
  send("a");
  send("b", 500);
  send("c");
  await clock.advance(499);
  broker.tick();
  expect(sender.outcomes).toEqual([]);
  await clock.advance(1);
  receiver.allow(2);
  expect(receiver.texts).toEqual(["a", "c"]);
  const told = { outcome: "rejected", condition: "amqp:precondition-failed" };
  expect(sender.outcomes).toEqual([["b", expect.objectContaining(told)]]);
  // And where nobody comes for it, it does not wait for somebody.
  receiver.credit = 0;
  send("d", 500);
  await clock.advance(500);
  broker.tick();
  expect(sender.outcomes[1]).toEqual(["d", expect.objectContaining(told)]);
  expect([...broker.direct].map(({ counters }) => counters)).toMatchObject([{ in: 4, out: 2, expired: 2 }]);
});

test("Broker goes on counting what an address has counted that holds nothing and is forgotten", async () => {
  const broker = await restart();
  const receiver = new TestReceiver(broker, "direct/x", { credit: 2 });
  const sender = new TestSender(broker, "direct/x");
  sender.send("a");
  receiver.source.detach(true);
  sender.sink.detach();
  broker.tick();
  expect([...broker.direct]).toEqual([]);
  expect(broker.retired).toMatchObject({ in: 1, out: 1 });
});

test("Broker forgets addresses that nothing keeps before their time where there are as many as there may be", async () => {
  const broker = await restart({ addressesMax: 6 });
  const holder = new TestReceiver(broker, "held");
  broker.create("kept", "queue", { maxDeliveries: 5 });
  broker.makeTemporary("$temp/mine");
  for (const name of ["a", "b", "c"]) broker.queue(name);
  new TestSender(broker, "orders").send("a");
  const names = (): string[] => [...broker.kept].map(({ name }) => name);
  expect(names()).toEqual(["held", "kept", "$temp/mine", "orders"]);
  expect([holder.goneFor, broker.crowds()]).toEqual([null, 0]);
  const holders = ["d", "e"].map((name) => new TestReceiver(broker, name));
  const refusal = "Cannot make f: there are 6 addresses already (limits.addresses)";
  expect(() => new TestReceiver(broker, "f")).toThrow(refusal);
  holders[0]?.source.detach(true);
  // It looks at all of them once a second.
  expect(() => new TestReceiver(broker, "f")).toThrow(refusal);
  broker.tick();
  expect(new TestReceiver(broker, "f").goneFor).toBeNull();
  expect(names()).toEqual(["held", "kept", "$temp/mine", "orders", "e", "f"]);
  expect(broker.crowds()).toBe(2);
});

test("Broker keeps the dead letters of the longest address, across restarts", async () => {
  const name = ["a".repeat(84), "b".repeat(84), "c".repeat(85)].join("/");
  const broker = await restart();
  new TestSender(broker, name).send("x");
  const receiver = new TestReceiver(broker, name);
  await settled();
  receiver.settle(receiver.got[0]!, { outcome: "rejected", reason: "no" });
  await settled();
  const again = new TestReceiver(await restart(), `dead/${name}`);
  await settled();
  expect(again.texts).toEqual([`x [${name}: no]`]);
});

test("Broker makes what is moved to a topic's name no queue", async () => {
  const broker = await restart();
  expect(() => broker.queue("topic/news")).toThrow("it is no queue");
  expect(broker.keeping("topic/news").kind).toBe("topic");
  expect(() => broker.keeping("direct/x")).toThrow("it keeps no messages");
});

test("Broker refuses what a rule or the scheme does not let be", async () => {
  const broker = await restart({ rules: [rule("no/**", {}, "none"), rule("closed", { create: false })] });
  for (const [name, condition] of [
    ["no/x", "amqp:not-found"],
    ["closed", "amqp:not-found"],
    ["$management", "amqp:not-found"],
  ] as const) {
    expect(() => new TestReceiver(broker, name)).toThrow(expect.objectContaining({ condition }) as Error);
  }
});

test("Broker forgets an address that nobody used for long, and one that was removed", async () => {
  const broker = await restart();
  new TestSender(broker, "a").sink.detach();
  const sender = new TestSender(broker, "b");
  sender.send("x");
  await settled();
  broker.tick();
  await clock.advance(601_000);
  broker.tick();
  expect([...broker.kept].map(({ name }) => name)).toEqual(["b"]);
  const receiver = new TestReceiver(broker, "b", { credit: 0 });
  broker.remove("b");
  expect([sender.goneFor, receiver.goneFor]).toEqual(["amqp:resource-deleted", "amqp:resource-deleted"]);
  expect(sender.send("y")).toMatchObject({ outcome: "rejected" });
  await broker.close();
  expect([...(await restart()).kept]).toEqual([]);
});
