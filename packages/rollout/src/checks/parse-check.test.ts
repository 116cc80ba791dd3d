import { expect, test } from "vitest";
import { DEFAULT_CHECK, parseCheck } from "./parse-check.ts";

test.each([
  ["error-rate <= 1%", { kind: "error-rate", limit: { kind: "fixed", value: 0.01 } }],
  ["error-rate<=primary+0.5%", { kind: "error-rate", limit: { kind: "primary", factor: 1, margin: 0.005 } }],
  [DEFAULT_CHECK, { kind: "error-rate", limit: { kind: "primary", factor: 1, margin: 0.01 } }],
  ["error-rate <= primary", { kind: "error-rate", limit: { kind: "primary", factor: 1, margin: 0 } }],
  ["p99 <= 300ms", { kind: "latency", share: 0.01, limit: { kind: "fixed", value: 300 } }],
  ["p99.9 <= 2s", { kind: "latency", share: 0.001, limit: { kind: "fixed", value: 2_000 } }],
  ["p50 <= primary * 1.2", { kind: "latency", share: 0.5, limit: { kind: "primary", factor: 1.2, margin: 0 } }],
  [" p95 <= primary + 20ms ", { kind: "latency", share: 0.05, limit: { kind: "primary", factor: 1, margin: 20 } }],
])("reads %j", (text, check) => {
  expect(parseCheck(text)).toMatchObject(check);
});

test("a check is called as it was typed, with single spaces", () => {
  expect(parseCheck("  p99<=primary  *  1.2").name).toBe("p99 <= primary * 1.2");
});

test.each([
  ["", "wanted error-rate or p50"],
  ["errors <= 1%", "wanted error-rate or p50"],
  ["error-rate >= 1%", "wanted error-rate or p50"],
  ["error-rate <= 1", "wanted a share of errors in percent, below 100%"],
  ["error-rate <= 100%", "wanted a share of errors in percent, below 100%"],
  ["error-rate <= -1%", "wanted a share of errors in percent, below 100%"],
  ["error-rate <= 0%", "nothing can show that a limit of 0 is kept"],
  ["error-rate <= primary * 0.5", "a factor is 1 to 1000"],
  ["error-rate <= primary * x", "a factor is 1 to 1000"],
  ["p0 <= 1s", "a percentile is above 0"],
  ["p99 <= 300", "a duration has a unit"],
  ["p99 <= 5%", "a duration has a unit"],
  ["p99 <= 0ms", "wanted more than 0s"],
])("refuses %j: %s", (text, why) => {
  expect(() => parseCheck(text)).toThrow(why);
});
