import { expect, test } from "vitest";
import type { Value } from "./expression.ts";
import { parseSelector } from "./selector.ts";
import fc from "@datawire/protocol/testing/random";

const message: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["colour", "red"],
  ["size", 7n],
  ["weight", 7.5],
  ["most", 2n ** 63n - 1n],
  ["big", 2n ** 60n],
  ["urgent", true],
  ["path", "100%_a"],
  ["JMSPriority", 4n],
]);
const takes = (text: string): boolean => parseSelector(text)((name) => message.get(name) ?? null);

test.each([
  ["colour = 'red'", true],
  ["colour <> 'red'", false],
  ["colour = 'it''s'", false],
  ["size > 5 AND size <= 7", true],
  ["size between 1 and 6", false],
  ["size NOT BETWEEN 1 AND 6", true],
  ["size * 2 + 1 = 15", true],
  ["-size < - 6", true],
  ["size / 2 = 3", true],
  ["-size / 2 = -3", true],
  ["size / 2.0 = 3.5 and size / 2d = 3.5 and size * 1. / 2 = 3.5", true],
  ["weight / 3 = 2.5", true],
  ["weight > size and size < weight", true],
  ["size / 0 is null", true],
  ["size / 0 = 1 or urgent", true],
  ["weight / 0 > 1e300", true],
  ["big + 1 = 1152921504606846977", true],
  ["big = 1152921504606846977", false],
  ["most + 1 < 0", true],
  ["most = 9223372036854775807", true],
  ["+colour = 'red'", false],
  ["colour not between 1 and 2", false],
  ["not colour between 1 and 2", true],
  ["size not between missing and 6", true],
  ["size = 0x7", true],
  ["size = 7L and size = 7.0 and size = 70e-1", true],
  ["big = 1152921504606846976", true],
  ["big > size", true],
  ["colour in ('blue', 'red')", true],
  ["colour NOT IN ('blue')", true],
  ["missing IN ('blue')", false],
  ["missing NOT IN ('blue')", false],
  ["colour like 'r%'", true],
  ["colour like '_e_'", true],
  ["colour like '_e'", false],
  ["path like '100!%!_%' escape '!'", true],
  ["path like '10!%%' escape '!'", false],
  ["missing is null", true],
  ["colour is not null", true],
  ["missing = 1", false],
  ["NOT missing = 1", false],
  ["missing = 1 OR urgent", true],
  ["urgent and not false", true],
  ["NOT NOT urgent", true],
  ["NOT (missing = 1 AND FALSE)", true],
  ["size = 'x'", false],
  ["colour > 'a'", false],
  ["(size > 1 OR missing = 2) AND urgent = TRUE", true],
  ["\"colour\" = 'red'", true],
  ["JMSPriority = 4", true],
  ["colour", false],
  ["", true],
  [" ", true],
  ["size-1 = 6", true],
  ["size = 07 and 010 = 8", true],
  ["größe is null", true],
  ["(size + 1) * 2 = 16", true],
  ["+size = 7", true],
  ["size <> 7", false],
  ["size <> 'x'", false],
  ["NOT (size = 'x')", true],
  ["urgent <> FALSE", true],
  ["urgent", true],
  ["missing like 'a%' or not missing like 'a%'", false],
  ["missing not between 1 and 2", false],
  ["(missing > 1) is null", true],
  ["missing + 1 is null", true],
  ["size between size - 1 and size + 1", true],
  ["path like '%!%%' escape '!' and path not like '%b%'", true],
  ["colour = 'red' or colour = 'blue' and size = 0", true],
  ["NOT colour = 'red' AND FALSE", false],
  ['"and" is null', true],
])("parseSelector() of %s takes the message: %s", (text, expected) => {
  expect(takes(text)).toBe(expected);
});

test.each([
  ["colour =", "a value is missing before its end"],
  ["colour = 'red", 'nothing that a selector has begins at "\'red"'],
  ["(size = 1", ") is missing before its end"],
  ["size = 1 size", 'it should end before "size"'],
  ["size IS 1", 'IS wants NULL or NOT NULL, not "1"'],
  ["size IN 1", 'IN wants a list in parentheses, not "1"'],
  ["size LIKE 1", 'LIKE wants a string in quotes, not "1"'],
  ["size NOT = 1", 'NOT wants BETWEEN, IN or LIKE, not "="'],
  ["a like 'b' escape 'cd'", "ESCAPE wants one character"],
  ["a BETWEEN 1 OR 2", 'BETWEEN wants AND, not "OR"'],
  [`${"(".repeat(40)}a`, "it is nested deeper than 32"],
  ["a".repeat(5_000), "it is longer than 4096 characters"],
])("parseSelector() says what is wrong with %s", (text, why) => {
  expect(() => parseSelector(text)).toThrow(why);
});

test("parseSelector() takes any text, or says what is wrong with it", () => {
  const piece = fc.constantFrom(
    ..."= <> ( ) , + - * / ' a 1 'x' NOT AND OR IN LIKE IS NULL BETWEEN TRUE ESCAPE .".split(" "),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        expect(typeof takes(pieces.join(" "))).toBe("boolean");
      } catch (error) {
        expect((error as Error).name).toBe("SelectorError");
      }
    }),
    { numRuns: 2_000 },
  );
});

test("like compares in time that does not explode", () => {
  const text = "a".repeat(3_000);
  const selector = parseSelector(`x LIKE '${"%a".repeat(500)}b'`);
  expect(selector(() => text)).toBe(false);
});
