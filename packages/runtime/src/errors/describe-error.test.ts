import { expect, test } from "vitest";
import { describeError } from "./describe-error.ts";

const circle = new Error("round");
circle.cause = circle;

const fsError = (fields: object): Error =>
  Object.assign(new Error("ENOSPC: as Node puts it"), { code: "ENOSPC", ...fields });

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
  [
    "the system's words for a file",
    fsError({ syscall: "open", path: "/x" }),
    "Cannot open /x: no space left on the device",
  ],
  ["the system's words for none", fsError({ syscall: "write" }), "Cannot write: no space left on the device"],
  [
    "what is in words already once",
    new Error("Cannot keep x: no space left on the device", { cause: fsError({ syscall: "write" }) }),
    "Cannot keep x: no space left on the device",
  ],
  [
    "the system's words for a connection",
    Object.assign(new Error("connect"), { code: "ECONNREFUSED", syscall: "connect", address: "::1", port: 1 }),
    "connection refused: nothing listens there ([::1]:1)",
  ],
  ["no secret", new Error("no answer from http://u:hunter2@h/"), "no answer from http://***@h/"],
  ["a string", "broken", "broken"],
  ["an object", { code: 7 }, '{"code":7}'],
  ["nothing", undefined, "unknown error"],
  ["a circle", circle, "round"],
])("describeError() prints %s", (_what, error, expected) => {
  expect(describeError(error)).toBe(expected);
});
