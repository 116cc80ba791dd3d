import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { beforeEach, expect, test } from "vitest";
import { SimulatedDisk } from "../../log/testing/simulated-disk.ts";
import type { Broker } from "../broker.ts";
import { moveMessages } from "./mover.ts";
import { type FarQueue, type MovedBatch, type Moves, openMoves } from "./moves.ts";
import { Refused } from "../refused.ts";
import { settled, TestReceiver, TestSender } from "../testing/links.ts";
import { openBroker } from "../testing/open-broker.ts";

type Which = "near" | "far";

/** A process of the router: what it has on disk outlives it. */
interface Process {
  readonly broker: Broker;
  readonly moves: Moves;
}

let clock: FakeClock;
let disks: Readonly<Record<Which, SimulatedDisk>>;
let now: Record<Which, Process | null>;
beforeEach(() => begin(1));

async function begin(seed: number): Promise<void> {
  clock = createFakeClock();
  disks = { near: new SimulatedDisk(new Chance(seed)), far: new SimulatedDisk(new Chance(seed + 1)) };
  now = { near: null, far: null };
  await Promise.all([start("near"), start("far")]);
}

/** As a process that loses its power: what it was about to answer is never heard. */
function kill(which: Which): void {
  now[which]?.moves.close();
  now[which] = null;
  disks[which].crash();
}

async function start(which: Which): Promise<void> {
  // Small segments: each begins with what is so of the addresses.
  const broker = await openBroker(disks[which].boot(), clock, { log: { segmentBytes: 8_192 } });
  const moves = openMoves(broker, { clock, far: () => next() });
  now[which] = { broker, moves };
  moves.resume();
}

async function restart(which: Which): Promise<void> {
  kill(which);
  await start(which);
}

const AWAY = new Refused("amqp:not-found", "Cannot say: it is away");

/** The queue `to` of the other process, as it is when it is asked: one that is killed meanwhile is away. */
function next(): FarQueue {
  const ask = async <T>(question: (process: Process) => Promise<T>): Promise<T> => {
    const asked = now.far;
    if (asked === null) throw AWAY;
    const answer = question(asked);
    for (let turn = 0; ; turn++) {
      const got = await Promise.race([
        answer.then((value) => ({ value })),
        new Promise<null>((r) => setImmediate(r, null)),
      ]);
      if (now.far !== asked) throw AWAY;
      if (got !== null) return got.value;
    }
  };
  return {
    take: (batch) => ask(({ broker, moves }) => moves.take(broker.queue("to"), batch)),
    taken: (id) => ask(({ moves }) => moves.taken("to", id)),
  };
}

const near = (): Process => now.near as Process;
const far = (): Process => now.far as Process;
const move = (how: FarQueue = next(), id = "1"): Promise<number> =>
  near().moves.away(near().broker.queue("from"), how, { id, to: "to" });

const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(i + from));

async function fill(count: number, name = "from"): Promise<void> {
  const sender = new TestSender(near().broker, name);
  for (const text of numbers(count)) sender.send(text);
  await settled();
}

async function textsOf({ broker }: Process, name: string): Promise<readonly string[]> {
  const receiver = new TestReceiver(broker, name);
  await settled();
  return receiver.texts;
}

test("away() takes what no consumer has to another process, in order, and leaves what comes meanwhile", async () => {
  await fill(450);
  const holder = new TestReceiver(near().broker, "from", { credit: 1 });
  const sender = new TestSender(near().broker, "from");
  const batches: MovedBatch[] = [];
  const moved = await move({
    ...next(),
    take(batch) {
      if (batches.push(batch) === 1) sender.send("later");
      return next().take(batch);
    },
  });
  expect(moved).toBe(449);
  expect(batches.map(({ first }) => first)).toEqual([0, 200, 400]);
  await settled();
  expect(holder.texts).toEqual(["0"]);
  holder.source.detach(true);
  await Promise.all([restart("near"), restart("far")]);
  // What was held by a link that is gone is there again.
  expect(await textsOf(near(), "from")).toEqual(["0", "later"]);
  expect(await textsOf(far(), "to")).toEqual(numbers(449, 1));
});

test("away() gives back what is not taken, and says how many were", async () => {
  await fill(450);
  let batches = 0;
  const moving = move({
    ...next(),
    async take(batch) {
      if (++batches === 2) throw new Refused("amqp:not-allowed", "Cannot use to for that: it is no queue");
      return next().take(batch);
    },
  });
  await expect(moving).rejects.toThrow("it is no queue; 200 of 450 were moved");
  expect(await textsOf(near(), "from")).toEqual(numbers(250, 200));
  expect(await textsOf(far(), "to")).toEqual(numbers(200));
});

test("away() stops where the other queue is full", async () => {
  await fill(450);
  const to = far().broker.queue("to");
  to.configure({ ...to.settings, maxMessages: 250 });
  await expect(move()).rejects.toThrow("Cannot take a message at to: it has max_messages, 250; 250 of 450 were moved");
  expect(await textsOf(near(), "from")).toEqual(numbers(200, 250));
  expect(await textsOf(far(), "to")).toEqual(numbers(250));
});

test("away() keeps from consumers what may have been taken, until the other process has said what it has", async () => {
  await fill(300);
  const lost = {
    ...next(),
    async take(batch: MovedBatch) {
      await next().take(batch);
      kill("far");
      throw AWAY;
    },
  };
  await expect(move(lost)).rejects.toThrow(
    "it is away; 0 of 300 were moved; what is on its way is settled when to is there again",
  );
  expect(await textsOf(near(), "from")).toEqual(numbers(100, 200));
  // Of segments that are there after a restart, each begins with what is on its way.
  for (let times = 0; times < 3; times++) await fill(300, "other");
  await restart("near");
  const receiver = new TestReceiver(near().broker, "from");
  await settled();
  expect(receiver.texts).toEqual(numbers(100, 200));
  await start("far");
  await clock.advance(1_000);
  await settled();
  expect(receiver.texts).toEqual(numbers(100, 200));
  expect(await textsOf(far(), "to")).toEqual(numbers(200));
});

test("a move leaves messages the time that they have, here and at another process", async () => {
  const send = (ttlMs: number): void => {
    const { sink } = new TestSender(near().broker, "from");
    sink.offer({ payload: Buffer.from(`for ${ttlMs}`), ttlMs, keys: null }, "");
  };
  for (const ttlMs of [1_000, 5_000, 0]) send(ttlMs);
  await settled();
  await clock.advance(600);
  expect(await move()).toBe(3);
  send(1_000);
  await settled();
  const to = near().broker.queue("to");
  await moveMessages(near().broker.queue("from"), to, { later: setImmediate, nowMs: () => clock.nowMs() });
  await clock.advance(500);
  expect(await textsOf(far(), "to")).toEqual(["for 5000", "for 0"]);
  expect(await textsOf(near(), "to")).toEqual(["for 1000"]);
});

test("take() takes no more of a move, once it was asked how much it has of it", async () => {
  const batch = { id: "1", first: 0, payloads: [Buffer.from("late")], ttls: [0] };
  await fill(0);
  expect(await far().moves.taken("to", "1")).toBe(0);
  await expect(far().moves.take(far().broker.queue("to"), batch)).rejects.toThrow(
    "Cannot take more of a move: it is over",
  );
  expect(await textsOf(far(), "to")).toEqual([]);
});

test("take() takes nothing at a queue that was removed meanwhile", async () => {
  const to = far().broker.queue("to");
  const taking = far().moves.take(to, { id: "1", first: 0, payloads: [Buffer.from("late")], ttls: [0] });
  far().broker.remove("to");
  await expect(taking).rejects.toThrow("Cannot take messages at to: it was removed");
});

test("away() ends where the address is removed, or has nothing", async () => {
  near().broker.queue("from");
  expect(await move()).toBe(0);
  await fill(3);
  const moved = await move({
    ...next(),
    async take(batch) {
      await next().take(batch);
      near().broker.remove("from");
    },
  });
  expect(moved).toBe(3);
});

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  "away() moves each once, wherever either process is killed: seed %i",
  async (seed) => {
    await begin(seed);
    const chance = new Chance(seed);
    await fill(450);
    for (let round = 0; round < 3; round++) {
      void move(next(), `move ${round}`).catch(() => {});
      await settled(chance.int(40));
      const victims = (["near", "far"] as const).filter(() => chance.once(2));
      for (const which of victims) kill(which);
      await settled(chance.int(10));
      for (const which of victims) await start(which);
      await clock.advance(3_000);
      await settled();
    }
    // Once more, as nothing is on its way: what the processes have is on their disks.
    await Promise.all([restart("near"), restart("far")]);
    await settled();
    const all = [...(await textsOf(near(), "from")), ...(await textsOf(far(), "to"))];
    expect(all.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(450));
  },
);
