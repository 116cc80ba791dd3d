import { expect, test } from "vitest";
import { formatAgo, formatCount, formatMs, formatRate, formatRatio, formatShare } from "./format.ts";

test.each([
  [12.34, "12.3/s"],
  [1234, "1.2k/s"],
  [999.99, "1k/s"],
  [0, "0/s"],
  [250.4, "250/s"],
  [null, "–"],
  [Number.NaN, "–"],
])("formatRate() writes %s as %s", (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

test.each([
  [0.004, "0.4%"],
  [0, "0%"],
  [0.00001, "<0.01%"],
  [undefined, "–"],
])("formatRatio() writes %s as %s", (ratio, text) => {
  expect(formatRatio(ratio)).toBe(text);
});

test.each([
  [8, "8 ms"],
  [0.25, "0.3 ms"],
  [1200, "1.2 s"],
  [999.7, "1 s"],
  [180_000, "3 min"],
  [null, "–"],
])("formatMs() writes %s as %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  [0, "now"],
  [12_000, "12 s ago"],
  [90_000, "1 min ago"],
  [7_200_000, "2 h ago"],
  [-180_000, "in 3 min"],
])("formatAgo() says of %s ms before: %s", (age, text) => {
  expect(formatAgo(1e12 - age, 1e12)).toBe(text);
});

test("formatCount() and formatShare() keep what is small apart from nothing", () => {
  expect([formatCount(0.5), formatCount(3_400_000), formatShare(33.333)]).toEqual(["0.5", "3.4M", "33.33%"]);
});
