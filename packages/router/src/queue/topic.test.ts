import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import type { From } from "../address/from.ts";
import type { ConsumerPort, Dead, Delivery } from "./delivery.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Pace } from "./storage.ts";
import { Ranges } from "../ledger/ranges.ts";
import { SequenceHeap } from "../ledger/sequence-heap.ts";
import type { Subscription } from "./subscription.ts";
import { Topic } from "./topic.ts";
import type { TopicConfig } from "./topic-config.ts";

const LAST: From = { at: "last" };
const ACCEPTED = { outcome: "accepted" } as const;

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

class TestPort implements ConsumerPort {
  readonly got: Delivery[] = [];
  readonly filter = null;
  credit: number;

  constructor(credit = 1_000) {
    this.credit = credit;
  }

  wants(): boolean {
    return this.credit > 0;
  }

  deliver(delivery: Delivery): void {
    this.credit--;
    this.got.push(delivery);
  }

  exhausted(): void {}

  get texts(): string[] {
    return this.got.map(({ record }) => Buffer.from(record.payload).toString());
  }
}

/** A disk that takes whatever comes. */
const pace: Pace = { admits: () => true, whenTaking: setImmediate };

function createTopic(config: Partial<TopicConfig> = {}) {
  const dead: Dead[] = [];
  const counts = { expired: 0 };
  const storage = new MemoryStorage();
  let nowMs = 1_000;
  const deps = { storage, nowMs: () => nowMs, later: setImmediate, pace, onUnreadable: () => {} };
  const topic = new Topic(
    { maxDeliveries: 10, retention: { ageMs: null, bytes: null }, dropsUnread: false, expired: "drop", ...config },
    deps,
    { bury: (one) => void dead.push(one), expired: () => void counts.expired++ },
  );
  const put = (text: string, ttlMs = 0): number =>
    topic.append({ acceptedAtMs: nowMs, ttlMs, keys: null, payload: Buffer.from(text) });
  const advance = (ms: number): void => void (nowMs += ms);
  return { topic, put, dead, advance, counts };
}

function subscribe(topic: Topic, from: From): TestPort {
  const port = new TestPort();
  topic.subscribe(from, port).pump();
  return port;
}

test("Topic gives every message to every subscription, with its offset", async () => {
  const { topic, put } = createTopic();
  const ports = [subscribe(topic, LAST), subscribe(topic, LAST)];
  put("a");
  put("b");
  await settle();
  for (const port of ports) expect(port.got.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test.each<[From, string[]]>([
  [{ at: "first" }, ["a", "b", "c", "d"]],
  [LAST, ["d"]],
  [{ at: "offset", offset: 2 }, ["b", "c", "d"]],
  [{ at: "offset", offset: 99 }, ["d"]],
  [{ at: "back", count: 2 }, ["b", "c", "d"]],
  [{ at: "back", count: 99 }, ["a", "b", "c", "d"]],
  [{ at: "time", timeMs: 1_020 }, ["c", "d"]],
  [{ at: "time", timeMs: 1_011 }, ["c", "d"]],
  [{ at: "time", timeMs: 0 }, ["a", "b", "c", "d"]],
  [{ at: "time", timeMs: 9_999 }, ["d"]],
])("Topic begins at %j with %j", async (from, texts) => {
  const { topic, put, advance } = createTopic();
  for (const text of ["a", "b", "c"]) {
    put(text);
    advance(10);
  }
  await settle();
  const port = subscribe(topic, from);
  put("d");
  await settle();
  expect(port.texts).toEqual(texts);
});

test("Topic keeps the place of a durable subscription, out of order too", async () => {
  const { topic, put } = createTopic();
  const { subscription, isNew } = topic.resume("app/log", LAST);
  expect(isNew).toBe(true);
  const port = new TestPort();
  subscription.attach(port);
  for (const text of ["a", "b", "c", "d"]) put(text);
  await settle();
  subscription.settle(1, ACCEPTED);
  subscription.settle(3, ACCEPTED);
  subscription.settle(4, { outcome: "released" });
  subscription.detach();
  const again = topic.resume("app/log", { at: "first" });
  expect(again).toEqual({ subscription, isNew: false });
  const next = new TestPort();
  subscription.attach(next);
  subscription.pump();
  expect(next.got.map(({ sequence, failures }) => [sequence, failures])).toEqual([
    [2, 1],
    [4, 0],
  ]);
});

test("Topic has after a restart what its snapshot says", async () => {
  const before = createTopic();
  const { subscription } = before.topic.resume("app/log", { at: "first" });
  subscription.attach(new TestPort());
  for (const text of ["a", "b", "c"]) before.put(text);
  await settle();
  subscription.settle(2, ACCEPTED);
  const snapshot = before.topic.snapshot();
  expect(snapshot.next).toBe(4);
  const { topic } = createTopic();
  topic.restoreSnapshot(snapshot);
  for (const sequence of [1, 2, 3])
    topic.restoreMessage(sequence, { segment: 1, offset: sequence, length: 1 }, { acceptedAtMs: 1_000, ttlMs: 0 });
  topic.restoreSettled(1, 1, 1);
  const { subscription: after, isNew } = topic.resume("app/log", LAST);
  expect([isNew, after.floor]).toEqual([false, 3]);
});

test("Topic keeps what retention says, and what a durable subscription has not read", async () => {
  const { topic, put, advance } = createTopic({ retention: { ageMs: 50, bytes: 3 } });
  for (const text of ["a", "b", "c", "d"]) put(text);
  await settle();
  topic.trim();
  expect(topic.messages).toBe(3);
  const { subscription } = topic.resume("app/log", { at: "first" });
  advance(51);
  topic.trim();
  expect(topic.messages).toBe(3);
  for (const text of ["e", "f"]) put(text);
  expect(topic.isHeldBack).toBe(true);
  topic.end(subscription);
  await settle();
  topic.trim();
  expect(topic.messages).toBe(2);
  expect(subscribe(topic, { at: "first" }).texts).toEqual(["e", "f"]);
});

test("Topic tells a subscription what it has missed, where it drops the oldest", async () => {
  const { topic, put } = createTopic({ retention: { ageMs: null, bytes: 2 }, dropsUnread: true });
  const { subscription } = topic.resume("app/log", LAST);
  for (const text of ["a", "b", "c", "d", "e"]) put(text);
  await settle();
  topic.trim();
  const port = new TestPort();
  subscription.attach(port);
  subscription.pump();
  expect(port.texts).toEqual(["d", "e"]);
  expect(port.got.map(({ missed }) => missed)).toEqual([3, 0]);
});

test("Topic drops and counts what has expired once for all, wherever it is, and nobody has missed it", async () => {
  const { topic, put, advance, counts } = createTopic();
  const { subscription } = topic.resume("kept", { at: "first" });
  for (const [text, ttlMs] of [
    ["a", 0],
    ["b", 50],
    ["c", 0],
    ["d", 50],
    ["e", 500],
  ] as const)
    put(text, ttlMs);
  await settle();
  advance(50);
  // Before anybody looks at the time, nobody gets it either.
  expect(subscribe(topic, { at: "first" }).texts).toEqual(["a", "c", "e"]);
  topic.expireDue();
  expect([topic.messages, counts.expired]).toEqual([3, 2]);
  const port = new TestPort();
  subscription.attach(port);
  subscription.pump();
  expect(port.texts).toEqual(["a", "c", "e"]);
  for (const { sequence } of port.got) subscription.settle(sequence, ACCEPTED);
  expect([subscription.floor, port.got.map(({ missed }) => missed)]).toEqual([6, [0, 0, 0]]);
});

test("Topic keeps what has expired among the dead letters where it is told to, once", async () => {
  const { topic, put, advance, dead } = createTopic({ expired: "dead" });
  put("a", 50);
  await settle();
  advance(50);
  topic.expireDue();
  topic.expireDue();
  expect([topic.messages, dead.map(({ reason }) => reason)]).toEqual([0, ["expired"]]);
});

test("Topic lets a consumer reject what was dropped meanwhile", async () => {
  const { topic, put, dead } = createTopic({ retention: { ageMs: null, bytes: 1 }, dropsUnread: true });
  const port = new TestPort();
  const subscription = topic.subscribe({ at: "first" }, port);
  put("a");
  await settle();
  put("b");
  await settle();
  let confirmed = false;
  subscription.settle(1, { outcome: "rejected", reason: "no" }, () => (confirmed = true));
  expect([confirmed, dead]).toEqual([true, []]);
});

test("Topic buries what a subscription rejects, and what fails too often", async () => {
  const { topic, put, dead } = createTopic({ maxDeliveries: 2 });
  const port = new TestPort();
  const subscription: Subscription = topic.subscribe(LAST, port);
  put("a");
  put("b");
  await settle();
  subscription.settle(1, { outcome: "rejected", reason: "ugly" });
  for (let i = 0; i < 2; i++) {
    subscription.settle(2, { outcome: "modified", failed: true, undeliverableHere: false });
    await settle();
  }
  expect(dead.map(({ reason }) => reason)).toEqual(["ugly", "delivered 2 times in vain"]);
  expect(topic.messages).toBe(2);
});

test("Ranges has what was added, and no more", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 5 })), { maxLength: 30 }), (list) => {
      const ranges = new Ranges(10);
      const model = new Set(Array.from({ length: 10 }, (_, i) => i));
      for (const [from, length] of list) {
        ranges.add(from, length);
        for (let i = from; i < from + length; i++) model.add(i);
      }
      for (let i = 0; i < 60; i++) expect(ranges.has(i)).toBe(model.has(i));
      let floor = 0;
      while (model.has(floor)) floor++;
      expect(ranges.floor).toBe(floor);
      const { above } = ranges;
      above.forEach(([from, end], i) => {
        expect(from).toBeGreaterThan(i === 0 ? floor : above[i - 1]![1]);
        expect(end).toBeGreaterThan(from);
      });
    }),
  );
});

test("SequenceHeap gives the smallest first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (list) => {
      const heap = new SequenceHeap();
      for (const sequence of list) heap.push(sequence);
      const popped: (number | undefined)[] = [];
      while (heap.size > 0) popped.push(heap.pop());
      expect(popped).toEqual(list.toSorted((a, b) => a - b));
    }),
  );
});
