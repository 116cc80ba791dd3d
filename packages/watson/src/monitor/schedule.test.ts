import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { nextCheckMs, nextTurnMs, phaseOf } from "./schedule.ts";

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
  });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), rhythm, (afterMs, { intervalMs, phase }) => {
      const dueMs = nextTurnMs(afterMs, { intervalMs, phase });
      expect(dueMs).toBeGreaterThan(afterMs);
      expect(dueMs).toBeLessThanOrEqual(afterMs + intervalMs + 1e-3);
      const turns = (dueMs - phase * intervalMs) / intervalMs;
      expect(Math.abs(turns - Math.round(turns))).toBeLessThan(1e-6);
    }),
  );
});

test.each([
  ["waits for its turn", { dueMs: 1_000, endedMs: 1_010, inDoubt: false }, 2_000],
  ["leaves out the turns that a long check has missed", { dueMs: 1_000, endedMs: 3_500, inDoubt: false }, 4_000],
  ["does not take a turn twice when its timer fired early", { dueMs: 2_000, endedMs: 1_999.7, inDoubt: false }, 3_000],
  ["comes soon when in doubt", { dueMs: 1_000, endedMs: 1_010, inDoubt: true }, 1_110],
  ["comes at its turn when that is sooner", { dueMs: 1_000, endedMs: 1_950, inDoubt: true }, 2_000],
])("nextCheckMs() %s", (_, moments, expected) => {
  expect(nextCheckMs(moments, { intervalMs: 1_000, phase: 0, recheckMs: 100 })).toBe(expected);
});
