import { createFakeClock } from "@datawire/runtime/testing";
import { Chance } from "@datawire/protocol/testing/chance";
import { expect, test } from "vitest";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import type { Outcome } from "../queue/delivery.ts";
import { settled, TestReceiver, TestSender, textOf } from "./testing/links.ts";
import { openBroker, rule } from "./testing/open-broker.ts";

const FAILED: Outcome = { outcome: "modified", failed: true, undeliverableHere: false };

test("Broker loses nothing that was accepted and brings nothing back that was settled, whatever the disk does", async () => {
  const seeds = process.env["DSTACK_SOAK"] === "1" ? 1_000 : 15;
  let [accepted, settled] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const done = await ordeal(seed);
    accepted += done.accepted;
    settled += done.settled;
  }
  // Of nothing, nothing is lost.
  expect(accepted).toBeGreaterThan(10 * seeds);
  expect(settled).toBeGreaterThan(5 * seeds);
});

/** Everything at once, with losses of power and a disk that fails: an independent count at both ends. */
async function ordeal(seed: number): Promise<{ readonly accepted: number; readonly settled: number }> {
  const chance = new Chance(seed);
  const disk = new SimulatedDisk(chance);
  const clock = createFakeClock();
  const sent = new Set<string>();
  const safe = new Set<string>();
  /** Settled by a consumer, and confirmed. */
  const asked = new Set<string>();
  const confirmed = new Set<string>();
  let next = 0;
  const options = {
    // Most of what is delivered lies in memory, or hardly anything.
    log: { segmentBytes: 3_000, cacheBytes: chance.pick([1, 700, 2_000]), retryMs: 1 },
    rules: [rule("q/*", { maxDeliveries: 4 })],
  };
  const names = ["q/a", "q/b"];
  for (let life = 0; life < 5; life++) {
    disk.failsOnceIn = 0;
    const broker = await openBroker(disk.boot(), clock, options);
    disk.failsOnceIn = chance.once(3) ? 20 : 0;
    const senders = names.map((name) => new TestSender(broker, name));
    const receivers = names.map((name) => new TestReceiver(broker, name, { credit: chance.int(8) }));
    const done = new Set<unknown>();
    for (let step = chance.int(100); step >= 0; step--) {
      const i = chance.int(2);
      const [name, sender, receiver] = [names[i]!, senders[i]!, receivers[i]!];
      if (chance.once(2)) {
        const text = `${name}:${next++}:${"x".repeat(chance.int(400))}`;
        sent.add(text);
        if (sender.credit > 0) sender.send(text);
      }
      if (chance.once(3)) receiver.allow(chance.int(10));
      const held = receiver.got.filter((delivery) => !done.has(delivery));
      const delivery = held[chance.int(Math.max(1, held.length))];
      if (delivery !== undefined && chance.once(2)) {
        done.add(delivery);
        const text = textOf(delivery);
        expect(sent.has(text), `seed ${seed}: invented`).toBe(true);
        expect(confirmed.has(text), `seed ${seed}: ${text.slice(0, 9)} came back`).toBe(false);
        if (chance.once(3)) receiver.settle(delivery, chance.once(2) ? FAILED : { outcome: "released" });
        else {
          asked.add(text);
          receiver.source.settle(delivery.sequence, { outcome: "accepted" }, () => confirmed.add(text));
        }
      }
      if (chance.once(4)) await clock.advance(2);
      for (const { safe: told } of senders) for (const text of told.splice(0)) safe.add(text);
    }
    disk.crash();
  }
  disk.failsOnceIn = 0;
  const broker = await openBroker(disk.boot(), clock, options);
  const rest = new Set<string>();
  for (const name of names) {
    const [alive, dead] = [
      new TestReceiver(broker, name, { credit: 10_000 }),
      new TestReceiver(broker, `dead/${name}`, { credit: 10_000 }),
    ];
    await settled(200);
    const order = alive.got.map(({ sequence }) => sequence);
    expect(order, `seed ${seed}: out of order`).toEqual(order.toSorted((a, b) => a - b));
    for (const text of [...alive.texts, ...dead.texts.map((text) => text.replace(/ \[.*/, ""))]) {
      expect(sent.has(text), `seed ${seed}: invented`).toBe(true);
      expect(rest.has(text), `seed ${seed}: ${text.slice(0, 9)} is there twice`).toBe(false);
      rest.add(text);
    }
  }
  for (const text of safe)
    if (!asked.has(text)) expect(rest.has(text), `seed ${seed}: ${text.slice(0, 9)} is lost`).toBe(true);
  for (const text of confirmed) expect(rest.has(text), `seed ${seed}: ${text.slice(0, 9)} came back`).toBe(false);
  return { accepted: safe.size, settled: confirmed.size };
}
