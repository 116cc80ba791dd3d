import { expect, test } from "vitest";
import { readServerMessage } from "./read-message.ts";
import { welcome } from "./testing/entities.ts";

test("readServerMessage() reads what the schema allows and ignores fields that it does not know", () => {
  const read = readServerMessage(JSON.stringify({ ...welcome, later: true }));
  expect(read).toEqual({ state: "read", message: welcome });
});

test("readServerMessage() tells a type that it does not know from a malformed message", () => {
  expect(readServerMessage('{"type":"sing"}')).toEqual({ state: "unknown", type: "sing" });
});

test.each([
  ["", "it sent something that is no JSON"],
  ["\u0000\u0001", "it sent something that is no JSON"],
  ["null", "it sent a message without a type"],
  ['{"kind":"welcome"}', "it sent a message without a type"],
  ['{"type":"welcome","link":"one"}', "it sent a malformed welcome: link:"],
])("readServerMessage() cannot use %j", (text, reason) => {
  expect(readServerMessage(text)).toMatchObject({ state: "unusable", reason: expect.stringContaining(reason) });
});
