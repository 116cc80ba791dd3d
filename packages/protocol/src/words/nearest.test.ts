import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { editDistance, hintAt, listShort, nearest } from "./nearest.ts";

test.each([
  ["inteval", ["interval", "timeout", "rise"], "interval"],
  ["Interval", ["interval", "timeout"], "interval"],
  ["timoeut", ["interval", "timeout"], "timeout"],
  ["fal", ["rise", "fall"], "fall"],
  ["colour", ["interval", "timeout"], undefined],
  ["x", ["a", "b"], undefined],
  ["x", [], undefined],
])("nearest() of %s in %j is %s", (name, known, expected) => {
  expect(nearest(name, known)).toBe(expected);
});

test.each([
  ["baker", ["barker", "shop"], "did you mean //barker?"],
  ["baker", ["shop", "emitter", "shop"], "there are: emitter, shop"],
  ["baker", [], "there are: none"],
])("hintAt() for %s among %j says: %s", (name, known, expected) => {
  expect(hintAt(name, known, "//")).toBe(expected);
});

test("listShort() shows the first of many", () => {
  const many = Array.from({ length: 25 }, (_, i) => `s${100 + i}`);
  expect(listShort(many)).toMatch(/^s100, s101, .*, s119 and 5 more$/);
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
