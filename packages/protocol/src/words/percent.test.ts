import { expect, test } from "vitest";
import { parsePercent } from "./percent.ts";

test.each([
  ["10%", 1_000],
  ["10", 1_000],
  [10, 1_000],
  ["0%", 0],
  ["100%", 10_000],
  ["0.01%", 1],
  ["33.33%", 3_333],
  ["99.90", 9_990],
  ["1.500%", 150],
])("parsePercent() reads %s as %i slots", (input, slots) => {
  expect(parsePercent(input)).toBe(slots);
});

test.each(["", "ten", "-1%", "101%", "100.01%", "1.234%", "1e1", "10%%", Number.NaN, Number.POSITIVE_INFINITY])(
  "parsePercent() refuses %s",
  (input) => {
    expect(() => parsePercent(input)).toThrow(/Cannot use .* as a percentage/);
  },
);
