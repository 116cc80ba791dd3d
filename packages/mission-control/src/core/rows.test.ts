import { expect, test } from "vitest";
import { formatOrder, matches, parseOrder, sortRows } from "./rows.ts";

test("sortRows() puts what is unknown last, whichever way", () => {
  const rows = [3, null, 1, 2];
  expect(sortRows(rows, (row) => row, false)).toEqual([1, 2, 3, null]);
  expect(sortRows(rows, (row) => row, true)).toEqual([3, 2, 1, null]);
});

test("sortRows() reads numbers in names as numbers", () => {
  expect(sortRows(["a10", "a9"], (row) => row, false)).toEqual(["a9", "a10"]);
});

test.each(["rate", "-rate"])("parseOrder() reads what formatOrder() wrote: %s", (text) => {
  const order = parseOrder(text);
  expect(order === null ? null : formatOrder(order)).toBe(text);
});

test.each([
  ["", true],
  ["BARK live", true],
  ["bark down", false],
])("matches() of %j is %s", (search, expected) => {
  expect(matches(search, "barker", "live", null)).toBe(expected);
});
