import { expect, test } from "vitest";
import { ACCEPTED } from "../frames/delivery-state.ts";
import { Flow } from "../frames/flow.ts";
import { fromHex, performative, splitFrames, toHex } from "../testing/frames.ts";
import { IncomingCredit } from "./incoming-credit.ts";
import { Output } from "./output.ts";
import { Settlements } from "./settlements.ts";
import { Unsettled } from "./unsettled.ts";
import { SessionWindows } from "./windows.ts";

/** What is counted goes round at 2^32: each of these begins just before. */
const LAST = 0xffff_ffff;

function flowOf(values: Partial<Flow>): Flow {
  return Object.assign(new Flow(), values);
}

test("SessionWindows counts transfers beyond 2^32, in both directions", () => {
  const windows = new SessionWindows(4);
  windows.nextOutgoingId = LAST;
  windows.begun(LAST, 3);
  for (let i = 0; i < 2; i++) {
    windows.sent();
    windows.came();
  }
  expect(windows).toMatchObject({ nextOutgoingId: 1, remoteIncomingWindow: 1, nextIncomingId: 1, incomingWindow: 2 });
  // The peer had seen one of our two transfers when it said that it takes five more.
  windows.heard(flowOf({ nextIncomingId: 0, incomingWindow: 5 }));
  expect(windows.remoteIncomingWindow).toBe(4);
  expect(() => windows.heard(flowOf({ nextIncomingId: 2, incomingWindow: 5 }))).toThrow("transfer 2 was never sent");
});

test("SessionWindows takes no more transfers than it has said", () => {
  const windows = new SessionWindows(2);
  windows.came();
  expect(windows.low).toBe(true);
  windows.came();
  expect(() => windows.came()).toThrow("incoming window is 0");
  windows.tell(new Flow());
  windows.came();
  expect(windows.incomingWindow).toBe(1);
});

test("IncomingCredit counts deliveries beyond 2^32, and what a sender gives back", () => {
  const credit = new IncomingCredit();
  credit.give(3, false);
  credit.begin(LAST);
  expect([credit.take(), credit.take()]).toEqual([true, true]);
  expect(credit).toMatchObject({ deliveryCount: 1, credit: 1 });
  credit.give(5, true);
  credit.heard(flowOf({ deliveryCount: 6, drain: true }));
  expect(credit).toMatchObject({ deliveryCount: 6, credit: 0, draining: false });
  expect(credit.take()).toBe(false);
});

test("IncomingCredit does not believe that a sender gives back more than it was given", () => {
  const credit = new IncomingCredit();
  credit.begin(0);
  credit.give(2, false);
  credit.heard(flowOf({ deliveryCount: 0x7000_0000 }));
  expect(credit).toMatchObject({ deliveryCount: 0, credit: 2 });
});

test("Settlements says runs of ids as ranges, also around 2^32", () => {
  const output = new Output(512, 1_000, () => {});
  const settlements = new Settlements(output, 0, true);
  for (const id of [1, LAST, 0, LAST - 1, 4, 4]) settlements.gather(id);
  settlements.flush();
  expect(settlements.empty).toBe(true);
  const said = splitFrames(output.take() ?? new Uint8Array(0)).map((frame) => toHex(frame.subarray(8)));
  expect(said).toEqual(
    [
      performative("15", "41", "70 fffffffe", "52 01", "41", "00 53 24 45"),
      performative("15", "41", "52 04", "40", "41", "00 53 24 45"),
    ].map((text) => toHex(fromHex(text))),
  );
});

test.each([
  ["a range around 2^32", LAST, 1, [LAST, 0, 1]],
  ["one delivery", 1, 1, [1]],
  ["what was never sent", 10, 20, []],
  ["half of all numbers", LAST - 5, 0x7fff_fff8, [LAST, 0, 1, 5]],
])("Unsettled tells %s of an outcome", (_, first, last, expected) => {
  const unsettled = new Unsettled();
  const heard: number[] = [];
  for (const id of [LAST - 9, LAST, 0, 1, 5]) {
    unsettled.add({
      id,
      heard: () => {
        heard.push(id);
        unsettled.delete(id);
      },
    });
  }
  unsettled.tell(first, last, ACCEPTED, true);
  expect(heard).toEqual(expected);
  expect(unsettled.size).toBe(5 - expected.length);
});
