import { expect, test } from "vitest";
import { RateLimit } from "./rate.ts";

test("RateLimit takes two seconds' worth after a calm, then what it allows a second", () => {
  const limit = new RateLimit(100, 0);
  expect([limit.take(150, 0), limit.take(50, 0)]).toEqual([0, 0]);
  expect(limit.take(1, 0)).toBe(10);
  expect(limit.take(1, 10)).toBe(0);
  expect(limit.take(100, 2_000)).toBe(0);
});

test("RateLimit takes one that is larger than what is left, and lets the next ones wait for it", () => {
  const limit = new RateLimit(100, 0);
  expect(limit.take(1_000, 0)).toBe(0);
  const waitMs = limit.take(1, 0);
  expect(waitMs).toBe(8_010);
  expect(limit.take(1, waitMs)).toBe(0);
});

test("RateLimit changes its rate while it runs, and never waits for nothing", () => {
  const limit = new RateLimit(10, 0);
  limit.take(30, 0);
  expect(limit.take(0, 0)).toBe(0);
  limit.set(1_000);
  expect(limit.take(1, 0)).toBe(11);
});
