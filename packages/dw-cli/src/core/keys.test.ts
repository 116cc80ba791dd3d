import { expect, test } from "vitest";
import { readKeys } from "./keys.ts";

test.each([
  ["\u001b[A", ["up"]],
  ["\u001bOB\u001b[6~", ["down", "page-down"]],
  ["\u001b", ["back"]],
  ["\u001b[D", ["back"]],
  ["\r", ["enter"]],
  ["\u001b[200~x", []],
  ["jj\u0003", ["down", "down", "quit"]],
])("readKeys(%j) is %j", (text, keys) => {
  expect(readKeys(text)).toEqual(keys);
});
