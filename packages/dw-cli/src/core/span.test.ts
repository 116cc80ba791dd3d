import { expect, test } from "vitest";
import { count, formatAge, formatShare, formatSpan } from "./span.ts";

test.each([
  [-5, "0s"],
  [999, "0s"],
  [12_345, "12s"],
  [60_000, "1m"],
  [7_199_000, "1h 59m"],
  [3_605_000, "1h"],
  [2 * 86_400_000 + 3_600_000, "2d 1h"],
])("formatSpan(%i) is %s", (ms, expected) => {
  expect(formatSpan(ms)).toBe(expected);
});

test.each([
  [10, "10%"],
  [33.333333, "33.33%"],
  [0, "0%"],
  [0.001, "<0.01%"],
])("formatShare(%d) is %s", (percent, expected) => {
  expect(formatShare(percent)).toBe(expected);
});

test("formatAge() and count() read well", () => {
  expect(formatAge("2026-01-01T00:00:00Z", Date.UTC(2026, 0, 1, 0, 3))).toBe("3m");
  expect(formatAge(null, 0)).toBe("-");
  expect([count(1, "route"), count(2, "route"), count(0, "route")]).toEqual(["1 route", "2 routes", "0 routes"]);
});
