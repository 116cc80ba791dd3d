import { expect, test } from "vitest";
import { serialAdd, serialAfter, serialDistance } from "./serial.ts";

test.each([
  [1, 0, 1, true],
  [0, 1, -1, false],
  [5, 5, 0, false],
  [0, 0xffff_ffff, 1, true],
  [0xffff_ffff, 0, -1, false],
  [0x8000_0000, 1, 0x7fff_ffff, true],
  [0x8000_0000, 0, -0x8000_0000, false],
])("serialDistance(%i, %i) is %i", (a, b, distance, after) => {
  expect(serialDistance(a, b)).toBe(distance);
  expect(serialAfter(a, b)).toBe(after);
});

test("serialAdd() goes round at 2^32, in both directions", () => {
  expect(serialAdd(0xffff_ffff, 2)).toBe(1);
  expect(serialAdd(1, -2)).toBe(0xffff_ffff);
});
