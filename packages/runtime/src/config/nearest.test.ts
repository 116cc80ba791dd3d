import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

test.each([
  ["inteval", ["interval", "timeout", "rise"], "interval"],
  ["Interval", ["interval", "timeout"], "interval"],
  ["timoeut", ["interval", "timeout"], "timeout"],
  ["fal", ["rise", "fall"], "fall"],
  ["colour", ["interval", "timeout"], undefined],
  ["x", [], undefined],
])("nearest() of %s in %j is %s", (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected);
});

test("editDistance() counts a swap of neighbours once", () => {
  expect(editDistance("drian", "drain")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
});

test("editDistance() is symmetric, zero only for equals, and at most the longer length", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
