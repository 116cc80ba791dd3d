import { expect, test } from "vitest";
import { own } from "./own.ts";

test.each(["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty", "missing"])(
  "own() finds no %s that an object only inherits",
  (key) => {
    expect(own({ a: 1 }, key)).toBe(undefined);
  },
);

test("own() finds what is there, whatever it is called", () => {
  const object = JSON.parse('{"__proto__":1,"constructor":2,"a":3}') as Record<string, number>;
  expect(["__proto__", "constructor", "a"].map((key) => own(object, key))).toEqual([1, 2, 3]);
  process.env["DATAWIRE_TEST_OWN"] = "x";
  expect(own(process.env, "DATAWIRE_TEST_OWN")).toBe("x");
  delete process.env["DATAWIRE_TEST_OWN"];
});
