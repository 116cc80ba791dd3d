import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { beforeEach, expect, test } from "vitest";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import type { Broker } from "./broker.ts";
import { moveAway, moveMessages, takeMoved } from "./mover.ts";
import { Refused } from "./refused.ts";
import { settled, TestReceiver, TestSender } from "./testing/links.ts";
import { openBroker } from "./testing/open-broker.ts";

let clock: FakeClock;
let disks: { readonly near: SimulatedDisk; readonly far: SimulatedDisk };
let near: Broker;
let far: Broker;
beforeEach(async () => {
  clock = createFakeClock();
  disks = { near: new SimulatedDisk(new Chance(1)), far: new SimulatedDisk(new Chance(2)) };
  near = await restart("near");
  far = await restart("far");
});

/** As a process that is killed, and started again. */
async function restart(which: "near" | "far"): Promise<Broker> {
  disks[which].crash();
  return openBroker(disks[which].boot(), clock);
}

/** As the process next door takes them. */
const take = (payloads: readonly Uint8Array[]): Promise<number> =>
  takeMoved(far.queue("to"), payloads, { later: setImmediate, nowMs: () => clock.nowMs() });

const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(i + from));

async function fill(count: number): Promise<void> {
  const sender = new TestSender(near, "from");
  for (const text of numbers(count)) sender.send(text);
  await settled();
}

async function textsOf(broker: Broker, name: string): Promise<readonly string[]> {
  const receiver = new TestReceiver(broker, name);
  await settled();
  return receiver.texts;
}

test("moveAway() takes what no consumer has to another process, in order, and leaves what comes meanwhile", async () => {
  await fill(450);
  const holder = new TestReceiver(near, "from", { credit: 1 });
  const sender = new TestSender(near, "from");
  let batches = 0;
  const moved = await moveAway(near.queue("from"), async (payloads) => {
    if (batches++ === 0) sender.send("later");
    return take(payloads);
  });
  expect(moved).toBe(449);
  expect(batches).toBe(3);
  await settled();
  expect(holder.texts).toEqual(["0"]);
  holder.source.detach(true);
  [near, far] = [await restart("near"), await restart("far")];
  // What was held by a link that is gone is there again.
  expect(await textsOf(near, "from")).toEqual(["0", "later"]);
  expect(await textsOf(far, "to")).toEqual(numbers(449, 1));
});

test("moveAway() gives back what is not taken, and says how many were", async () => {
  await fill(450);
  let batches = 0;
  const moving = moveAway(near.queue("from"), async (payloads) => {
    if (++batches === 2) throw new Refused("amqp:not-found", "Cannot say: it is away");
    return take(payloads);
  });
  await expect(moving).rejects.toThrow("Cannot say: it is away; 200 of 450 were moved");
  expect(await textsOf(near, "from")).toEqual(numbers(250, 200));
  expect(await textsOf(far, "to")).toEqual(numbers(200));
});

test("moveAway() loses nothing where either process is killed in the middle", async () => {
  await fill(300);
  // It is on the disk of the other one, and nobody has heard of that.
  await new Promise<void>((resolve) => {
    void moveAway(near.queue("from"), async (payloads) => {
      await take(payloads);
      resolve();
      return new Promise(() => {});
    });
  });
  [near, far] = [await restart("near"), await restart("far")];
  const all = new Set([...(await textsOf(near, "from")), ...(await textsOf(far, "to"))]);
  expect(all).toEqual(new Set(numbers(300)));
});

test("moveAway() ends where the address is removed, or has nothing", async () => {
  expect(await moveAway(near.queue("from"), take)).toBe(0);
  await fill(3);
  const moved = await moveAway(near.queue("from"), async (payloads) => {
    await take(payloads);
    near.remove("from");
  });
  expect(moved).toBe(3);
});

test("moveMessages() is done at once where there is nothing to move", async () => {
  await fill(1);
  const holder = new TestReceiver(near, "from");
  await settled();
  expect(holder.texts).toEqual(["0"]);
  for (const from of ["empty", "from"]) {
    expect(
      await moveMessages(near.queue(from), near.queue("to"), { later: setImmediate, nowMs: () => clock.nowMs() }),
    ).toBe(0);
  }
});
