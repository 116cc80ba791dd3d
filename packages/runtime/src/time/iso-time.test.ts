import { expect, test } from "vitest";
import { isoTime } from "./iso-time.ts";

test.each([
  0,
  1,
  -1,
  999.9,
  1_796_065_998_850,
  951_782_400_000,
  Date.UTC(9_999, 11, 31, 23, 59, 59, 999),
  Date.UTC(10_000, 0, 1),
  -62_167_219_200_000,
  -62_167_219_200_001,
  8.64e15,
])("isoTime() of %d is what toISOString() says", (ms) => {
  expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});

test("isoTime() refuses what is no moment, as toISOString() does", () => {
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
});
