import { expect, test } from "vitest";
import { formatDuration, parseDuration, parseTimeLimit } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["3s", 3_000],
  [3, 3_000],
  ["0.5", 500],
  ["2m", 120_000],
  ["1.5h", 5_400_000],
  ["7d", 604_800_000],
])("parseDuration() reads %s as %i ms", (input, ms) => {
  expect(parseDuration(input)).toBe(ms);
});

test.each(["", "3 parsecs", "-1s", "1s2", "366d", "Infinity"])("parseDuration() refuses %j", (input) => {
  expect(() => parseDuration(input)).toThrow(/Cannot use .* as a duration/);
});

test.each([
  [500, "500ms"],
  [90_000, "90s"],
  [120_000, "2m"],
  [0, "0ms"],
])("formatDuration() writes %i ms as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  ["0s", "wanted more than 0s"],
  ["700h", "the longest is 24d"],
  ["soon", "wanted a duration"],
])("parseTimeLimit() refuses %s", (text, why) => {
  expect(() => parseTimeLimit(text)).toThrow(why);
});

test("parseTimeLimit() takes what a timer can count", () => {
  expect([parseTimeLimit("1ms"), parseTimeLimit("24d")]).toEqual([1, 24 * 86_400_000]);
});
