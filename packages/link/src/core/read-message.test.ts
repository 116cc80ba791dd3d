import { expect, test } from "vitest";
import { readServerMessage } from "./read-message.ts";
import { delta, instance, service, snapshot, welcome } from "../testing/entities.ts";

test("readServerMessage() reads what the schema allows and ignores fields that it does not know", () => {
  const read = readServerMessage(JSON.stringify({ ...welcome, later: true }));
  expect(read).toEqual({ state: "read", message: welcome });
});

test("readServerMessage() tells a type that it does not know from a malformed message", () => {
  expect(readServerMessage('{"type":"sing"}')).toEqual({ state: "unknown", type: "sing" });
});

test("readServerMessage() leaves out what it cannot read of a table, with the reason", () => {
  const instances = [instance("barker", "a"), { ...instance("barker", "b"), url: "http://h:99999" }, "what"];
  const tables = [{ caller: "m", service: "barker", routes: [{ target: "garbage" }] }];
  const change = { services: [service("barker")], instances, tables };
  const leftOut = [
    { kind: "instance", key: "barker@b", reason: expect.stringContaining("port 99999 is not from 1 to 65535") },
    { kind: "instance", key: null, reason: expect.stringContaining("expected object") },
    { kind: "table", key: "m>barker", reason: expect.stringContaining("Cannot read a route table: routes.0.share: ") },
  ];
  const kept = { services: change.services, instances: [instances[0]], tables: [] };
  const whole = readServerMessage(JSON.stringify({ ...snapshot(1), ...change }));
  expect(whole).toMatchObject({ state: "read", message: { type: "snapshot", ...kept, leftOut } });
  const next = readServerMessage(JSON.stringify({ ...delta(1, {}), change }));
  expect(next).toMatchObject({ state: "read", message: { type: "delta", change: kept, leftOut } });
  const good = readServerMessage(JSON.stringify(delta(1, { instances: [instance("barker", "a")] })));
  expect(good).toMatchObject({ state: "read" });
  expect(good).not.toHaveProperty("message.leftOut");
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
  "readServerMessage() does not know %s",
  (type) => {
    expect(readServerMessage(`{"type":"${type}"}`)).toEqual({ state: "unknown", type });
  },
);

test.each([
  ["", "it sent something that is no JSON"],
  ["\u0000\u0001", "it sent something that is no JSON"],
  ["null", "it sent a message without a type"],
  ['{"kind":"welcome"}', "it sent a message without a type"],
  ['{"type":"welcome","link":"one"}', "it sent a malformed welcome: link:"],
])("readServerMessage() cannot use %j", (text, reason) => {
  expect(readServerMessage(text)).toMatchObject({ state: "unusable", reason: expect.stringContaining(reason) });
});
