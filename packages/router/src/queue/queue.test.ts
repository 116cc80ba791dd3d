import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import type { ConsumerPort, Dead, Delivery } from "./delivery.ts";
import { Expiries } from "../ledger/expiries.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { Pace } from "./storage.ts";
import { Queue } from "./queue.ts";
import type { QueueConsumer } from "./queue-consumer.ts";
import type { MessageRecord } from "../log/record.ts";

const ACCEPTED = { outcome: "accepted" } as const;
const RELEASED = { outcome: "released" } as const;
const FAILED = { outcome: "modified", failed: true, undeliverableHere: false } as const;
const ELSEWHERE = { outcome: "modified", failed: false, undeliverableHere: true } as const;

/** Turns of the event loop until everything that can settle has. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A disk that takes whatever comes. */
const pace: Pace = { admits: () => true, whenTaking: setImmediate };

interface Options {
  readonly maxDeliveries?: number;
  readonly expired?: "drop" | "dead";
  /** Whether everything is read from disk. */
  readonly cold?: boolean;
}

function createQueue({ maxDeliveries = 10, expired = "drop", cold = false }: Options = {}) {
  const dead: Dead[] = [];
  const counts = { expired: 0 };
  const storage = new MemoryStorage();
  const records = new Map<number, MessageRecord>();
  let nowMs = 1_000;
  if (cold) {
    // As if everything had to be read from disk.
    const peek = storage.peek.bind(storage);
    storage.peek = (place) => records.get(place.offset) ?? null;
    storage.load = async (place) => {
      await Promise.resolve();
      const record = peek(place);
      if (record === null) throw new Error("gone");
      records.clear();
      records.set(place.offset, record);
      return record;
    };
  }
  const queue = new Queue(
    { maxDeliveries, expired },
    { storage, nowMs: () => nowMs, later: setImmediate, pace, onUnreadable: (_, error) => expect(error).toBeNull() },
    { bury: (one) => void dead.push(one), expired: () => void counts.expired++ },
  );
  const put = (text: string, ttlMs = 0): number =>
    queue.append({ acceptedAtMs: nowMs, ttlMs, keys: null, payload: Buffer.from(text) });
  const advance = (ms: number): void => void (nowMs += ms);
  return { queue, put, dead, advance, counts };
}

class TestConsumer implements ConsumerPort {
  readonly got: Delivery[] = [];
  readonly filter: ConsumerPort["filter"];
  credit: number;
  exhaustions = 0;
  consumer: QueueConsumer | null = null;

  constructor(credit: number, filter: ConsumerPort["filter"] = null) {
    this.credit = credit;
    this.filter = filter;
  }

  wants(): boolean {
    return this.credit > 0;
  }

  deliver(delivery: Delivery): void {
    if (this.credit <= 0) throw new Error("credit exceeded");
    this.credit--;
    this.got.push(delivery);
  }

  exhausted(): void {
    this.exhaustions++;
  }

  get texts(): string[] {
    return this.got.map(({ record }) => Buffer.from(record.payload).toString());
  }
}

function attach(
  queue: Queue,
  credit: number,
  filter: ConsumerPort["filter"] = null,
): TestConsumer & { consumer: QueueConsumer } {
  const port = new TestConsumer(credit, filter);
  port.consumer = queue.attach(port);
  queue.pump();
  return port as TestConsumer & { consumer: QueueConsumer };
}

test("Queue gives messages in order, within credit", async () => {
  const { queue, put } = createQueue();
  const port = attach(queue, 2);
  expect(port.exhaustions).toBe(1);
  for (const text of ["a", "b", "c"]) put(text);
  expect(port.got, "nothing before it is durable").toEqual([]);
  await settle();
  expect(port.texts).toEqual(["a", "b"]);
  port.credit = 5;
  queue.pump();
  expect(port.texts).toEqual(["a", "b", "c"]);
  expect(queue.messages).toBe(3);
  for (const { sequence } of port.got) queue.settle(port.consumer, sequence, ACCEPTED);
  expect([queue.messages, queue.bytes, queue.unsettled]).toEqual([0, 0, 0]);
});

test("Queue shares evenly among those who have credit", async () => {
  const { queue, put } = createQueue();
  const ports = [attach(queue, 100), attach(queue, 100), attach(queue, 3), attach(queue, 0)];
  for (let i = 0; i < 63; i++) put(String(i));
  await settle();
  expect(ports.map(({ got }) => got.length)).toEqual([30, 30, 3, 0]);
});

test("Queue puts what is released back to its place, as it was", async () => {
  const { queue, put } = createQueue();
  const port = attach(queue, 3);
  for (const text of ["a", "b", "c", "d"]) put(text);
  await settle();
  const [a, b] = port.got as [Delivery, Delivery];
  queue.settle(port.consumer, b.sequence, RELEASED);
  queue.settle(port.consumer, a.sequence, RELEASED);
  await settle();
  port.credit = 3;
  queue.pump();
  expect(port.texts.slice(3)).toEqual(["a", "b", "d"]);
  expect(port.got.slice(3).map(({ failures }) => failures)).toEqual([0, 0, 0]);
});

test("Queue counts failed deliveries, and those whose link ended", async () => {
  const { queue, put } = createQueue();
  const first = attach(queue, 1);
  put("a");
  await settle();
  queue.settle(first.consumer, 1, FAILED);
  first.credit = 1;
  await settle();
  expect(first.got.at(-1)?.failures).toBe(1);
  queue.detach(first.consumer);
  const second = attach(queue, 1);
  await settle();
  expect(second.got.at(-1)?.failures).toBe(2);
});

test("Queue buries what is rejected, and what was delivered in vain too often", async () => {
  const { queue, put, dead } = createQueue({ maxDeliveries: 2 });
  const port = attach(queue, 10);
  put("a");
  put("b");
  await settle();
  queue.settle(port.consumer, 1, { outcome: "rejected", reason: "ugly" });
  queue.settle(port.consumer, 2, FAILED);
  await settle();
  queue.settle(port.consumer, 2, FAILED);
  expect(dead.map(({ sequence, reason }) => [sequence, reason])).toEqual([
    [1, "ugly"],
    [2, "delivered 2 times in vain"],
  ]);
  expect(queue.messages).toBe(0);
});

test("Queue gives what is undeliverable here to another one, and stops nobody meanwhile", async () => {
  const { queue, put } = createQueue();
  const port = attach(queue, 10);
  put("a");
  put("b");
  await settle();
  queue.settle(port.consumer, 1, ELSEWHERE);
  put("c");
  await settle();
  expect(port.texts).toEqual(["a", "b", "c"]);
  const other = attach(queue, 1);
  await settle();
  expect(other.texts).toEqual(["a"]);
});

test("Queue lets a filter take from the middle", async () => {
  const { queue, put } = createQueue();
  const odd = attach(queue, 10, ({ payload }) => payload.length % 2 === 1);
  for (const text of ["aa", "b", "cc", "d"]) put(text);
  await settle();
  expect(odd.texts).toEqual(["b", "d"]);
  const all = attach(queue, 10);
  await settle();
  expect(all.texts).toEqual(["aa", "cc"]);
  queue.settle(odd.consumer, 2, RELEASED);
  await settle();
  expect([...odd.texts.slice(2), ...all.texts.slice(2)]).toEqual(["b"]);
});

test("Queue says that there is nothing for a filter only when it has looked at everything", async () => {
  const { queue, put } = createQueue();
  for (let i = 0; i < 2_500; i++) put("aa");
  put("b");
  await settle();
  const odd = attach(queue, 1, ({ payload }) => payload.length === 1);
  expect(odd.exhaustions).toBe(0);
  await settle();
  expect([odd.texts, odd.exhaustions]).toEqual([["b"], 0]);
});

test("Queue drops what has expired, also where nobody takes it", async () => {
  const { queue, put, advance, dead } = createQueue({ expired: "dead" });
  put("short", 50);
  put("long", 500);
  await settle();
  advance(49);
  queue.expireDue();
  expect(queue.messages).toBe(2);
  advance(1);
  queue.expireDue();
  expect(queue.messages).toBe(1);
  expect(dead.map(({ reason }) => reason)).toEqual(["expired"]);
  advance(500);
  const port = attach(queue, 1);
  expect(port.got).toEqual([]);
  expect(port.credit).toBe(1);
  expect(queue.messages).toBe(0);
});

test("Queue drops and counts what has expired behind what has not, and what a consumer gives back", async () => {
  const { queue, put, advance, counts } = createQueue();
  const held = attach(queue, 1);
  put("held", 50);
  put("keeps");
  put("short", 50);
  put("last");
  await settle();
  advance(50);
  queue.expireDue();
  expect([queue.messages, counts.expired]).toEqual([3, 1]);
  queue.settle(held.consumer, 1, RELEASED);
  await settle();
  advance(1_000);
  queue.expireDue();
  expect([queue.messages, counts.expired]).toEqual([2, 2]);
  expect(attach(queue, 9).texts).toEqual(["keeps", "last"]);
});

test("Queue forgets what a consumer would not have, once that is gone", async () => {
  const { queue, put } = createQueue();
  const one = attach(queue, 10_000);
  for (let round = 0; round < 25; round++) {
    for (let count = 0; count < 100; count++) put("x");
    await settle();
    for (const { sequence } of one.got.splice(0)) queue.settle(one.consumer, sequence, ELSEWHERE);
    const other = attach(queue, 100);
    await settle();
    expect(other.got.length).toBe(100);
    for (const { sequence } of other.got) queue.settle(other.consumer, sequence, ACCEPTED);
    queue.detach(other.consumer);
  }
  expect(queue.messages).toBe(0);
  expect(one.consumer.exclusions).toBeLessThanOrEqual(1_000);
});

test("Queue puts what a filter took from further on, and gives back, to its place too", async () => {
  const { queue, put } = createQueue();
  const even = attach(queue, 1, ({ payload }) => Buffer.from(payload).toString() === "c");
  for (const text of ["a", "b", "c", "d"]) put(text);
  await settle();
  expect(even.texts).toEqual(["c"]);
  even.credit = 0;
  queue.settle(even.consumer, 3, RELEASED);
  const plain = attach(queue, 9);
  await settle();
  expect(plain.texts).toEqual(["a", "b", "c", "d"]);
});

test("Expiries gives what is due in its order, and keeps no room for what is gone", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 300 }), fc.nat(1_000), (times, nowMs) => {
      const expiries = new Expiries((sequence) => sequence % 3 > 0);
      times.forEach((atMs, sequence) => expiries.add(atMs, sequence));
      const due: number[] = [];
      for (let next = expiries.takeDue(nowMs); next !== null; next = expiries.takeDue(nowMs)) due.push(next);
      const inOrder = due.map((sequence) => times[sequence] ?? 0);
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      const wanted = times.flatMap((atMs, sequence) => (sequence % 3 > 0 && atMs <= nowMs ? [sequence] : []));
      expect(due.filter((sequence) => sequence % 3 > 0).toSorted((a, b) => a - b)).toEqual(wanted);
    }),
  );
  const expiries = new Expiries((sequence) => sequence > 9_990);
  for (let sequence = 0; sequence < 10_000; sequence++) expiries.add(sequence, sequence);
  expect(expiries.size).toBeLessThan(100);
});

test("Queue drops the oldest for room, and everything when it is purged", async () => {
  const { queue, put } = createQueue();
  for (const text of ["a", "b", "c"]) put(text);
  await settle();
  const port = attach(queue, 1);
  expect(queue.dropOldest()).toBe(true);
  expect(queue.purge()).toBe(1);
  expect(queue.dropOldest()).toBe(false);
  expect(port.texts).toEqual(["a"]);
  expect(queue.messages).toBe(1);
});

type Step = { readonly do: "put" | "credit" | "accept" | "release" | "fail" | "detach" | "turn"; readonly n: number };
const steps = fc.array(
  fc.record({
    do: fc.constantFrom<Step["do"]>("put", "put", "credit", "accept", "accept", "release", "fail", "detach", "turn"),
    n: fc.nat(7),
  }),
  { maxLength: 120 },
);

test.each([false, true])(
  "Queue loses no message, gives none to two, and keeps the order (read from disk: %s)",
  async (cold) => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { queue, put, dead } = createQueue({ maxDeliveries: 3, cold });
        const ports = Array.from({ length: 3 }, (_, i) =>
          attach(queue, 0, i === 2 ? ({ payload }) => payload.length === 2 : null),
        );
        const held = new Map<number, number>();
        const accepted = new Set<number>();
        let count = 0;
        const seen = ports.map(() => 0);
        const look = (): void => {
          ports.forEach((port, i) => {
            for (const { sequence } of port.got.slice(seen[i])) {
              expect(held.has(sequence), `${sequence} is given to two`).toBe(false);
              expect(accepted.has(sequence), `${sequence} comes back`).toBe(false);
              held.set(sequence, i);
            }
            seen[i] = port.got.length;
          });
        };
        for (const { do: what, n } of list) {
          const i = n % 3;
          const port = ports[i]!;
          const mine = port.got.filter(({ sequence }) => held.get(sequence) === i);
          const one = mine[n % Math.max(1, mine.length)];
          if (what === "put") put(String(++count));
          else if (what === "credit") {
            port.credit = n;
            queue.pump();
          } else if (what === "turn") await settle();
          else if (what === "detach") {
            for (const { sequence } of mine) held.delete(sequence);
            queue.detach(port.consumer);
            port.consumer = queue.attach(port);
          } else if (one !== undefined) {
            held.delete(one.sequence);
            if (what === "accept") accepted.add(one.sequence);
            queue.settle(
              port.consumer,
              one.sequence,
              what === "accept" ? ACCEPTED : what === "release" ? RELEASED : FAILED,
            );
          }
          look();
        }
        // In the end one consumer gets everything that is left, in order.
        await settle();
        look();
        for (const port of ports) queue.detach(port.consumer);
        const rest = attach(queue, 1_000);
        for (let turn = 0; turn < 50; turn++) await settle();
        const left = rest.got.map(({ sequence }) => sequence);
        expect(left).toEqual(left.toSorted((a, b) => a - b));
        const all = [...left, ...accepted, ...dead.map(({ sequence }) => sequence)].sort((a, b) => a - b);
        expect(all).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      }),
      { numRuns: cold ? 15 : 30 },
    );
  },
);
