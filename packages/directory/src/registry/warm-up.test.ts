import { expect, test } from "vitest";
import { WarmUp } from "./warm-up.ts";

// How many Watsons are not back yet, at each second from the first.
test.each<[number[], number | null, string]>([
  [[3, 2, 1, 0], 4, "at once when all are back"],
  [[3, 2, 1, 1, 1, 1, 1, 1, 1, 1], 9, "after a warm-up when some do not come"],
  [[9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1], 12, "a lull after the last one when they keep coming"],
  [[9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 8], null, "not before such a lull"],
  [Array.from({ length: 40 }, (_, i) => 50 - i), 36, "after four warm-ups however many come"],
])("WarmUp with %j awaited is over after %j s: %s", (awaited, expected) => {
  const warmUp = new WarmUp({ startedMs: 0, warmUpMs: 9_000 });
  const over = awaited.findIndex((count, i) => warmUp.isOver({ awaited: count, missing: 0 }, (i + 1) * 1_000));
  expect(over === -1 ? null : over + 1).toBe(expected);
});

// How many instances fewer there are than a subscriber had, at each second from the first, where the store was lost.
test.each<[number[], number | null, string]>([
  [[0, 0, 5, 2, 0], 1, "at once while no subscriber has said that there was more"],
  [[5, 5, 5, 2, 0], 5, "at once when as much is there as before"],
  [Array.from({ length: 40 }, () => 5), 18, "after two warm-ups when nothing comes"],
  [[...Array.from({ length: 17 }, () => 5), 4, 4, 4, 4, 4], 21, "a lull after the last that came"],
  [Array.from({ length: 40 }, (_, i) => 50 - i), 36, "after four warm-ups however much comes"],
])("WarmUp with %j missing is over after %j s: %s", (missing, expected) => {
  const warmUp = new WarmUp({ startedMs: 0, warmUpMs: 9_000 });
  const over = missing.findIndex((count, i) => warmUp.isOver({ awaited: 0, missing: count }, (i + 1) * 1_000));
  expect(over === -1 ? null : over + 1).toBe(expected);
});

test("WarmUp waits for those who are missing for five seconds, however short the lease is", () => {
  const warmUp = new WarmUp({ startedMs: 0, warmUpMs: 500 });
  expect(warmUp.isOver({ awaited: 1, missing: 0 }, 0)).toBe(false);
  expect(warmUp.isOver({ awaited: 1, missing: 0 }, 4_999)).toBe(false);
  expect(warmUp.isOver({ awaited: 1, missing: 0 }, 5_000)).toBe(true);
});
