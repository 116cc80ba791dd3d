import { expect, test } from "vitest";
import { fitsPattern, parsePattern } from "./pattern.ts";

test.each([
  ["billing", "billing", true],
  ["billing", "billin", false],
  ["billin", "billing", false],
  ["billing-api", "billing-*", true],
  ["billing-", "billing-*", true],
  ["billing", "billing-*", false],
  ["api", "*", true],
  ["a.internal", "*.internal", true],
  ["internal", "*.internal", false],
  ["a-b-c", "a*b*c", true],
  ["ac", "a*b*c", false],
  ["aba", "ab*ba", false],
  ["abba", "ab*ba", true],
])("fitsPattern(%s, %s) is %s", (name, pattern, expected) => {
  expect(fitsPattern(name, pattern)).toBe(expected);
});

test("fitsPattern() takes no time for a pattern made to take it", () => {
  // Trying all ways to divide the name among the stars, of which there are about 10^28, would not end.
  expect(fitsPattern("a".repeat(100), `${"*a".repeat(49)}*b`)).toBe(false);
  expect(fitsPattern(`${"a".repeat(99)}b`, `${"*a".repeat(49)}*b`)).toBe(true);
});

test("parsePattern() takes a name, an address and a pattern, and nothing else", () => {
  expect(["billing", "//billing", "billing-*"].map(parsePattern)).toEqual(["billing", "billing", "billing-*"]);
  expect(() => parsePattern("Billing API")).toThrow('Cannot use "Billing API" as a pattern of services');
});

test.each(["Billing-*", "-billing", "billing.", ".*", "*-", "", "a b"])(
  "parsePattern() refuses %o, which no name fits",
  (text) => {
    expect(() => parsePattern(text)).toThrow("as a pattern of services: wanted a name");
  },
);

test.each(["billing-*", "//billing", "*", "*.internal", "a*b", "_x"])("parsePattern() takes %s", (text) => {
  expect(parsePattern(text)).toBe(text.replace("//", ""));
});
