import { expect, test } from "vitest";
import { type Entry, Lane } from "./lane.ts";

let id = 0;
function entry(sequence: number, { isAlone = false, isStored = true } = {}): Entry {
  return {
    id: id++,
    to: "orders",
    draft: { header: {}, annotations: new Map(), rest: new Uint8Array(0) },
    sinceMs: sequence,
    identity: { producer: "p", sequence },
    isAlone,
    isStored,
    sentAtMs: 0,
    accepted() {},
    failed() {},
  };
}

function laneOf(...entries: Entry[]): Lane {
  const lane = new Lane();
  for (const one of entries) lane.add(one);
  return lane;
}

/** Sends all that may be sent, and returns their numbers. */
function sendAll(lane: Lane): number[] {
  const sent: number[] = [];
  for (let next = lane.next(); next !== null; next = lane.next()) {
    lane.sent(next, 0);
    sent.push(next.identity.sequence);
  }
  return sent;
}

test("Lane.lost() has what was on its way sent again, before what waits and in its order", () => {
  const [one, two, three] = [entry(1), entry(2), entry(3)];
  const lane = laneOf(one, two);
  expect(sendAll(lane)).toEqual([1, 2]);
  lane.add(three);
  lane.lost();
  expect([lane.unsettled, lane.waiting]).toEqual([0, 3]);
  expect(sendAll(lane)).toEqual([1, 2, 3]);
});

test("Lane.released() gives a new number, as what was sent later may have been accepted", () => {
  const lane = laneOf(entry(1), entry(2));
  const first = lane.next() as Entry;
  expect(sendAll(lane)).toEqual([1, 2]);
  lane.released(first, () => ({ producer: "p", sequence: 3 }));
  expect(sendAll(lane)).toEqual([3]);
});

test("Lane.released() leaves its number to what is the only one of its producer", () => {
  const alone = entry(1, { isAlone: true });
  const lane = laneOf(alone);
  sendAll(lane);
  lane.released(alone, () => ({ producer: "p", sequence: 3 }));
  expect(sendAll(lane)).toEqual([1]);
});

test("Lane.next() lets nothing overtake what is not stored yet", () => {
  const slow = entry(1, { isStored: false });
  const lane = laneOf(slow, entry(2));
  expect(lane.next()).toBeNull();
  slow.isStored = true;
  expect(sendAll(lane)).toEqual([1, 2]);
});

test("Lane.done() takes out what was sent or waits, once", () => {
  const [one, two] = [entry(1), entry(2)];
  const lane = laneOf(one, two);
  lane.sent(one, 5);
  expect(lane.oldestUnsettledMs).toBe(5);
  expect([lane.done(one), lane.done(two), lane.done(two)]).toEqual([true, true, false]);
  expect(lane.isEmpty).toBe(true);
});
