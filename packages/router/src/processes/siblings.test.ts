import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { beforeEach, expect, test } from "vitest";
import type { Broker } from "../engine/broker.ts";
import { Refused } from "../engine/refused.ts";
import { settled, TestReceiver } from "../engine/testing/links.ts";
import { openBroker } from "../engine/testing/open-broker.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import { Homes } from "./homes.ts";
import type { Question } from "./messages.ts";
import { answerSibling, createSiblings } from "./siblings.ts";

const HOMES = new Homes(2);
/** Topics of each process. */
const HERE = ["topic/a", "topic/b", "topic/c", "topic/d"].filter((name) => HOMES.of(name) === 0);
const THERE = ["topic/a", "topic/b", "topic/c", "topic/d"].filter((name) => HOMES.of(name) === 1);
const OWNER = { key: "app, log", tenant: null };

let clock: FakeClock;
let disks: readonly SimulatedDisk[];
let brokers: readonly Broker[];
let isAway: boolean;
beforeEach(async () => {
  clock = createFakeClock();
  disks = [1, 2].map((seed) => new SimulatedDisk(new Chance(seed)));
  brokers = await Promise.all(disks.map((disk) => openBroker(disk.boot(), clock, { log: {} })));
  isAway = false;
});

const broker = (index: number): Broker => brokers[index] as Broker;

/** A process ends, and is there again with what is on its disk. */
async function restart(index: number): Promise<void> {
  await broker(index).close();
  const again = await openBroker((disks[index] as SimulatedDisk).boot(), clock, { log: {} });
  brokers = brokers.with(index, again);
  isAway = false;
}

/** What the first process asks the second one. */
function siblings() {
  const part = {
    seat: { index: 0, count: 2, indices: [0, 1], folder: "" },
    homeOf: (name: string) => HOMES.of(name) || null,
    ask: async (_to: number, question: Question) => {
      if (isAway) throw new Refused("amqp:not-found", "Cannot say: it is away");
      return answerSibling(broker(1), question as Parameters<typeof answerSibling>[1]) ?? null;
    },
  };
  return createSiblings(part, { broker: broker(0), clock, signal: new AbortController().signal });
}

const subscribe = (index: number, name: string, selector: string | null = null): TestReceiver =>
  new TestReceiver(broker(index), name, { subscription: OWNER.key, selector });

const ownedAt = (index: number): string | null => broker(index).durables.find(OWNER)?.address ?? null;

test("find() finds what an owner has at another process, also at one that is away for a moment", async () => {
  expect(await siblings().find(OWNER)).toBeNull();
  subscribe(1, THERE[0] as string, "a = 1").source.detach(false);
  expect(await siblings().find(OWNER)).toEqual({ address: THERE[0], selector: "a = 1" });
  expect(await siblings().find({ ...OWNER, tenant: "acme" })).toBeNull();
  isAway = true;
  const found = siblings().find(OWNER);
  await settled();
  isAway = false;
  await clock.advance(1_000);
  expect(await found).toMatchObject({ address: THERE[0] });
  isAway = true;
  const refused = siblings().find(OWNER).catch(String);
  for (let second = 0; second < 12; second++) {
    await clock.advance(1_000);
    await settled();
  }
  expect(await refused).toContain("is away");
});

test("claim() ends what an owner has at other addresses, of any process, and only for a topic", async () => {
  const [here = "", there = ""] = [HERE[0], THERE[0]];
  subscribe(0, here);
  await siblings().claim(OWNER, "orders", null);
  expect([ownedAt(0), ownedAt(1)]).toEqual([here, null]);
  await siblings().claim(OWNER, there, null);
  const there0 = subscribe(1, there);
  expect([ownedAt(0), ownedAt(1)]).toEqual([null, there]);
  // The same one again ends nothing.
  await siblings().claim(OWNER, there, null);
  expect(ownedAt(1)).toBe(there);
  await siblings().claim(OWNER, here, null);
  expect([ownedAt(1), there0.goneFor]).toEqual([null, "stolen"]);
});

test("claim() ends what an owner has at a process whose clock is before this one's", async () => {
  const ahead = createFakeClock();
  await ahead.advance(50);
  brokers = [broker(0), await openBroker(new SimulatedDisk(new Chance(3)).boot(), ahead, { log: {} })];
  subscribe(1, THERE[0] as string);
  await siblings().claim(OWNER, HERE[0] as string, null);
  expect(ownedAt(1)).toBeNull();
});

test("claim() ends what an owner has here, though the home of the other topic is away", async () => {
  subscribe(0, HERE[0] as string);
  isAway = true;
  await siblings().claim(OWNER, THERE[0] as string, null);
  expect(ownedAt(0)).toBeNull();
});

test("claim() ends what is at a process that is away when that is there again, and keeps nobody waiting", async () => {
  subscribe(1, THERE[0] as string).source.detach(false);
  isAway = true;
  await siblings().claim(OWNER, HERE[0] as string, null);
  await restart(1);
  expect(ownedAt(1)).toBe(THERE[0]);
  await clock.advance(1_000);
  await settled();
  expect(ownedAt(1)).toBeNull();
});

test("claim() leaves what its owner has taken again at a process that was away meanwhile", async () => {
  const there = THERE[0] as string;
  subscribe(1, there).source.detach(false);
  isAway = true;
  await siblings().claim(OWNER, HERE[0] as string, null);
  await restart(1);
  const again = subscribe(1, there);
  await clock.advance(1_000);
  await settled();
  expect([ownedAt(1), again.goneFor]).toEqual([there, null]);
});
