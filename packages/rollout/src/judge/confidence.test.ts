import { expect, test } from "vitest";
import { confidenceInterval } from "./confidence.ts";

const at = (limit: number) => ({ limit, alpha: 0.01 });

test("nothing counted bounds nothing", () => {
  expect(confidenceInterval({ requests: 0, bad: 0 }, at(0.01))).toEqual({ lower: 0, upper: 1 });
});

// The numbers of the page on rollouts, at 99%.
test.each([
  [590, 0.01],
  [120, 0.05],
])("%d requests without an error show that a limit of %d is kept", (requests, limit) => {
  expect(confidenceInterval({ requests, bad: 0 }, at(limit)).upper).toBeLessThan(limit);
  expect(confidenceInterval({ requests: Math.floor(requests * 0.94), bad: 0 }, at(limit)).upper).toBeGreaterThan(limit);
});

test.each([0.01, 0.05])("of 20 requests half failing shows more than %d", (limit) => {
  expect(confidenceInterval({ requests: 20, bad: 10 }, at(limit)).lower).toBeGreaterThan(limit);
});

test("all bad and all good end at 1 and at 0", () => {
  expect(confidenceInterval({ requests: 1_000, bad: 1_000 }, at(0.01)).upper).toBe(1);
  expect(confidenceInterval({ requests: 1_000, bad: 0 }, at(0.01)).lower).toBe(0);
});

test("what was found lies between the bounds, which come closer with what is counted", () => {
  let width = 1;
  for (const requests of [10, 100, 1_000, 10_000, 100_000_000]) {
    const { lower, upper } = confidenceInterval({ requests, bad: requests / 10 }, at(0.05));
    expect(lower).toBeLessThan(0.1);
    expect(upper).toBeGreaterThan(0.1);
    expect(upper - lower).toBeLessThan(width);
    width = upper - lower;
  }
  expect(width).toBeLessThan(0.0004);
});

test("no count and no limit keeps it from ending, and the bounds enclose what was found", () => {
  for (const requests of [1, 2, 3, 19, 1_000, 999_983, 10 ** 9, 10 ** 12]) {
    for (const bad of [0, 1, 2, Math.floor(requests / 2), requests - 1, requests].filter(
      (n) => n >= 0 && n <= requests,
    )) {
      for (const limit of [1e-6, 0.01, 0.5, 1]) {
        const { lower, upper } = confidenceInterval({ requests, bad }, { limit, alpha: 0.01 });
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(bad / requests);
        expect(upper).toBeGreaterThanOrEqual(bad / requests);
      }
    }
  }
});
