import { expect, test } from "vitest";
import { parseHeaderLines } from "./request-facts.ts";

test.each<[string[], Record<string, string>, Record<string, string>]>([
  [["X-A: 1", "x-a:\t2 "], { "x-a": "2" }, {}],
  [["X-A:"], { "x-a": "" }, {}],
  [["Cookie: a=1; b = 2 ;c=3, d=4"], { cookie: "a=1; b = 2 ;c=3, d=4" }, { a: "1", b: "2", c: "3", d: "4" }],
  [["Cookie: a=1", "Cookie: a=2"], { cookie: "a=2" }, { a: "2" }],
  [['Cookie: a="1;2"; b="x\\"y,"'], { cookie: 'a="1;2"; b="x\\"y,"' }, { a: '"1;2"', b: '"x\\"y,"' }],
  [["Cookie: $a=1; =2; c"], { cookie: "$a=1; =2; c" }, {}],
  [["Cookie: a=1; a="], { cookie: "a=1; a=" }, { a: "" }],
  [["Cookie: a=1;a="], { cookie: "a=1;a=" }, { a: "1" }],
  [["Cookie: a=1=2"], { cookie: "a=1=2" }, { a: "1=2" }],
])("parseHeaderLines() of %j", (lines, headers, cookies) => {
  expect(parseHeaderLines(lines)).toEqual({ headers, cookies });
});

test("parseHeaderLines() refuses a line without a name", () => {
  expect(() => parseHeaderLines(["X-Canary"])).toThrow('Cannot use "X-Canary" as a header: wanted NAME: VALUE');
});
