import { expect, test } from "vitest";
import { formatStatusRanges, parseStatusRange } from "./status-range.ts";

test("parseStatusRange() reads numbers and ranges", () => {
  expect(parseStatusRange("204")).toEqual([204, 204]);
  expect(parseStatusRange("200-299")).toEqual([200, 299]);
});

test.each(["", "20", "2xx", "99", "600", "299-200", "200-", "-200", "200 299"])(
  "parseStatusRange() refuses %o",
  (text) => {
    expect(() => parseStatusRange(text)).toThrow(
      /no number and no range|statuses are from 100 to 599|ends before it begins/,
    );
  },
);

test("formatStatusRanges() writes what was read", () => {
  expect(formatStatusRanges([parseStatusRange("200-299"), parseStatusRange("304")])).toBe("200-299, 304");
});
