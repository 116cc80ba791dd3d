import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { nextCheckMs, nextTurnMs, phaseOf, turnGapMs } from "./schedule.ts";

test("phaseOf() is the same for the same name, and from 0 to below 1", () => {
  expect(phaseOf("barker@a")).toBe(phaseOf("barker@a"));
  fc.assert(fc.property(fc.string(), (name) => phaseOf(name) >= 0 && phaseOf(name) < 1));
});

test("phaseOf() spreads names that differ in their last digits evenly", () => {
  const buckets = Array.from({ length: 20 }, () => 0);
  for (let i = 0; i < 2_000; i++) {
    const bucket = Math.floor(phaseOf(`service-${i}@vm101-8080`) * 20);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // 100 are expected in each; 60 is four standard deviations away.
  expect(Math.min(...buckets)).toBeGreaterThan(60);
  expect(Math.max(...buckets)).toBeLessThan(140);
});

test("nextTurnMs() is later than the moment by an interval at most, and on the same points whenever asked", () => {
  const rhythm = fc.record({
    intervalMs: fc.integer({ min: 50, max: 100_000 }),
    phase: fc.double({ min: 0, max: 0.999, noNaN: true }),
    gapMs: fc.integer({ min: 1, max: 250 }),
  });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), rhythm, (afterMs, { intervalMs, phase, gapMs }) => {
      const dueMs = nextTurnMs(afterMs, { intervalMs, phase, gapMs });
      expect(dueMs).toBeGreaterThan(afterMs);
      expect(dueMs).toBeLessThanOrEqual(afterMs + intervalMs + 1e-3);
      const turns = (dueMs - Math.floor((phase * intervalMs) / gapMs) * gapMs) / intervalMs;
      expect(Math.abs(turns - Math.round(turns))).toBeLessThan(1e-6);
    }),
  );
});

test("nextTurnMs() gives checks of one interval the same turns, as far apart as said, and leaves none out", () => {
  const turns = Array.from({ length: 1_000 }, (_, i) =>
    nextTurnMs(5_000, { intervalMs: 1_000, phase: phaseOf(`barker-${i}`), gapMs: 250 }),
  );
  expect(new Set(turns)).toEqual(new Set([5_250, 5_500, 5_750, 6_000]));
});

test.each([
  [0, 250],
  [10, 250],
  [40, 250],
  [100, 100],
  [1_000, 10],
  [50_000, 1],
])(
  "turnGapMs() puts about ten of %s checks a second together, of a quarter of a second at the most: %s",
  (rate, gapMs) => {
    expect(turnGapMs(rate)).toBe(gapMs);
  },
);

test.each([
  ["waits for its turn", { dueMs: 1_000, endedMs: 1_010, inDoubt: false }, 2_000],
  ["leaves out the turns that a long check has missed", { dueMs: 1_000, endedMs: 3_500, inDoubt: false }, 4_000],
  ["does not take a turn twice when its timer fired early", { dueMs: 2_000, endedMs: 1_999.7, inDoubt: false }, 3_000],
  ["comes soon when in doubt", { dueMs: 1_000, endedMs: 1_010, inDoubt: true }, 1_110],
  ["comes at its turn when that is sooner", { dueMs: 1_000, endedMs: 1_950, inDoubt: true }, 2_000],
])("nextCheckMs() %s", (_, moments, expected) => {
  expect(nextCheckMs(moments, { intervalMs: 1_000, phase: 0, gapMs: 1, recheckMs: 100 })).toBe(expected);
});
