import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { SimulatedDisk } from "../../log/testing/simulated-disk.ts";
import { moveMessages } from "./mover.ts";
import { settled, TestReceiver, TestSender } from "../testing/links.ts";
import { openBroker, rule } from "../testing/open-broker.ts";

test("moveMessages() is done at once where there is nothing to move", async () => {
  const clock = createFakeClock();
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), clock);
  new TestSender(broker, "from").send("0");
  await settled();
  const holder = new TestReceiver(broker, "from");
  await settled();
  expect(holder.texts).toEqual(["0"]);
  for (const from of ["empty", "from"]) {
    expect(
      await moveMessages(broker.queue(from), broker.queue("to"), { later: setImmediate, nowMs: () => clock.nowMs() }),
    ).toBe(0);
  }
});

test("moveMessages() has little of large messages on its way at a time", async () => {
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock());
  const sender = new TestSender(broker, "from");
  // Next to each other in the log, and so at hand.
  for (let i = 0; i < 60; i++) sender.send("x".repeat(100_000));
  await settled();
  let most = 0;
  const later = (next: () => void): void => {
    most = Math.max(most, broker.log.backlogBytes);
    broker.intake.whenTaking(next);
  };
  await moveMessages(broker.queue("from"), broker.queue("to"), { later, nowMs: broker.nowMs });
  expect(broker.queue("to").kept.messages).toBe(60);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(1_500_000);
});

test("moveMessages() leaves what is not moved yet where the other queue is removed meanwhile", async () => {
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock());
  const sender = new TestSender(broker, "from");
  for (let i = 0; i < 300; i++) sender.send(`${i}`);
  await settled();
  const moving = moveMessages(broker.queue("from"), broker.queue("to"), { later: setImmediate, nowMs: broker.nowMs });
  broker.remove("to");
  await expect(moving).rejects.toThrow("Cannot take messages at to: it was removed; 200 of 300 were moved");
  expect(broker.queue("from").kept.messages).toBe(100);
  const receiver = new TestReceiver(broker, "from");
  await settled();
  expect(receiver.texts).toHaveLength(100);
});

test.each([
  ["refuse", "maxMessages"],
  ["reject", "maxMessages"],
  ["refuse", "maxBytes"],
  ["reject", "maxBytes"],
] as const)("moveMessages() stops where the other queue is full: %s at %s", async (overflow, bound) => {
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock());
  const sender = new TestSender(broker, "from");
  for (let i = 0; i < 5; i++) sender.send(`${i}`);
  await settled();
  const max = bound === "maxMessages" ? 3 : (broker.queue("from").kept.bytes / 5) * 3;
  const target = broker.queue("to");
  target.configure({ ...target.settings, overflow, [bound]: max });
  const time = { later: setImmediate, nowMs: broker.nowMs };
  const moving = moveMessages(broker.queue("from"), broker.queue("to"), time);
  await expect(moving).rejects.toThrow(/^Cannot take a message at to: it has max_.*; 3 of 5 were moved$/);
  const [from, to] = [new TestReceiver(broker, "from"), new TestReceiver(broker, "to")];
  await settled();
  expect([from.texts, to.texts]).toEqual([
    ["3", "4"],
    ["0", "1", "2"],
  ]);
});

test("moveMessages() to a full queue that drops its oldest, or to the queue itself, moves everything", async () => {
  const rules = [rule("to", { maxMessages: 3, overflow: "drop-oldest" }), rule("from", { maxMessages: 5 })];
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), createFakeClock(), { rules });
  const sender = new TestSender(broker, "from");
  for (let i = 0; i < 5; i++) sender.send(`${i}`);
  await settled();
  const time = { later: setImmediate, nowMs: broker.nowMs };
  expect(await moveMessages(broker.queue("from"), broker.queue("from"), time)).toBe(5);
  await settled();
  expect(await moveMessages(broker.queue("from"), broker.queue("to"), time)).toBe(5);
  const to = new TestReceiver(broker, "to");
  await settled();
  expect(to.texts).toEqual(["2", "3", "4"]);
});

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  "moveMessages() leaves each message at one of both, wherever the router is killed: seed %i",
  async (seed) => {
    const chance = new Chance(seed);
    const disk = new SimulatedDisk(new Chance(seed + 100));
    const clock = createFakeClock();
    // Small segments: each begins with what is so of the addresses.
    const start = () => openBroker(disk.boot(), clock, { log: { segmentBytes: 8_192 } });
    const names = Array.from({ length: 450 }, (_, index) => String(index));
    let broker = await start();
    const sender = new TestSender(broker, "from");
    for (const name of names) sender.send(name);
    await settled(30);
    expect(sender.safe).toHaveLength(names.length);
    for (let round = 0; round < 3; round++) {
      const [from, to] = round % 2 === 0 ? (["from", "to"] as const) : (["to", "from"] as const);
      const time = { later: setImmediate, nowMs: () => clock.nowMs() };
      void moveMessages(broker.queue(from), broker.queue(to), time);
      await settled(chance.int(12));
      disk.crash();
      broker = await start();
    }
    const left = [new TestReceiver(broker, "from"), new TestReceiver(broker, "to")];
    await settled(30);
    const all = left.flatMap(({ texts }) => texts);
    expect(all.toSorted((a, b) => Number(a) - Number(b))).toEqual(names);
  },
);
