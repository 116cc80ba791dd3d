import { expect, test } from "vitest";
import { placeBounds } from "./interval.ts";

test.each([
  [
    { lower: 0, upper: 0.5, found: 0.1, limit: 1 },
    { from: 0, to: 25, found: 5, limit: 50 },
  ],
  // Further away than there is room.
  [
    { lower: 0, upper: 14, found: 0, limit: 1 },
    { from: 0, to: 100, found: 0, limit: 50 },
  ],
  [
    { lower: 10, upper: null, found: 20, limit: 5 },
    { from: 43, to: 100, found: 87, limit: 22 },
  ],
  [
    { lower: 4, upper: 8, found: null, limit: null },
    { from: 50, to: 100, found: null, limit: null },
  ],
])("placeBounds() %j is %j", (bounds, expected) => {
  const { from, to, found, limit } = placeBounds(bounds) ?? {};
  const round = (value: number | null | undefined): number | null | undefined =>
    typeof value === "number" ? Math.round(value) : value;
  expect({ from: round(from), to: round(to), found: round(found), limit: round(limit) }).toEqual(expected);
});

test("placeBounds() of what is not known, or nothing at all, is null", () => {
  expect(placeBounds({ lower: null, upper: null, found: null, limit: 1 })).toBeNull();
  expect(placeBounds({ lower: 0, upper: 0, found: 0, limit: 0 })).toBeNull();
});
