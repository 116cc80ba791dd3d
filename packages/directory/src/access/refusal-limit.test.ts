import { expect, test } from "vitest";
import { RefusalLimit } from "./refusal-limit.ts";

const many = (limit: RefusalLimit, address: string, nowMs: number, count = 30): number =>
  Array.from({ length: count }, () => limit.count(address, nowMs)).filter((within) => within).length;

test("count() explains twenty refusals at once, and one more every three seconds", () => {
  const limit = new RefusalLimit();
  expect(many(limit, "10.0.0.1", 1_000)).toBe(20);
  expect(many(limit, "10.0.0.1", 3_999)).toBe(0);
  expect(many(limit, "10.0.0.1", 8_000)).toBe(1);
  expect(many(limit, "10.0.0.1", 100_000)).toBe(20);
});

test("count() counts each address apart, and an IPv6 network as one", () => {
  const limit = new RefusalLimit();
  expect(many(limit, "10.0.0.1", 0)).toBe(20);
  expect(limit.count("10.0.0.2", 0)).toBe(true);
  expect(many(limit, "2001:db8:1:2::1", 0)).toBe(20);
  expect(limit.count("2001:db8:1:2::ffff", 0)).toBe(false);
  expect(limit.count("2001:db8:1:3::1", 0)).toBe(true);
});
