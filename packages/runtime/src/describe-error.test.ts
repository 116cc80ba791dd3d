import { expect, test } from "vitest";
import { describeError } from "./describe-error.ts";

const circle = new Error("round");
circle.cause = circle;

test.each<[string, unknown, string]>([
  ["a message", new Error("Cannot read x"), "Cannot read x"],
  ["the chain of causes", new Error("Cannot read x", { cause: new Error("ENOENT") }), "Cannot read x: ENOENT"],
  [
    "a repeated cause once",
    new Error("Cannot read x: ENOENT", { cause: new Error("ENOENT") }),
    "Cannot read x: ENOENT",
  ],
  ["lines as one", new Error("first\n  second"), "first second"],
  ["an error without a message", new TypeError(""), "TypeError"],
  ["all errors of an aggregate", new AggregateError([new Error("a"), new Error("b")]), "a; b"],
  ["a string", "broken", "broken"],
  ["an object", { code: 7 }, '{"code":7}'],
  ["nothing", undefined, "unknown error"],
  ["a circle", circle, "round"],
])("describeError() prints %s", (_what, error, expected) => {
  expect(describeError(error)).toBe(expected);
});
