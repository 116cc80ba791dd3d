import { fuzz, mutateJson } from "@datawire/protocol/testing/fuzz";
import { expect, test } from "vitest";
import { canBeShown, frames, readMdkMessage } from "./wire.ts";

const NODE = { id: "n1", service: "hello", version: "1.0", address: "http://h:1", properties: { a: true } };
const environment = { name: "sandbox", fallbackName: null };

const read = (value: object) => readMdkMessage(JSON.stringify(value));

test.each([
  ["open", { version: "2.0.0", mdkVersion: "2.0.37", nodeId: "n1", environment }],
  ["mdk_protocol.Open", { version: "2.0.0", mdkVersion: "2.0.37", nodeId: "n1", environment }],
  ["mdk.protocol.Open", { version: "2.0.0", mdkVersion: "2.0.37", nodeId: "n1", environment }],
])("readMdkMessage() reads %s", (type, fields) => {
  expect(read({ type, ...fields, $class: "whatever", later: 1 })).toEqual({
    state: "read",
    message: { type: "open", ...fields },
  });
});

test.each(["active", "mdk_discovery.protocol.Active", "discovery.protocol.Active"])(
  "readMdkMessage() reads %s, with what was left out as null",
  (type) => {
    expect(read({ type, node: { service: "hello", address: "http://h:1" } })).toEqual({
      state: "read",
      message: {
        type: "active",
        ttlMs: 30_000,
        node: { id: null, service: "hello", version: null, address: "http://h:1", properties: {}, environment: null },
      },
    });
  },
);

test.each([
  [30, 30_000],
  [0, 1_000],
  [-5, 1_000],
  [1e9, 300_000],
  [null, 30_000],
  ["soon", 30_000],
])("readMdkMessage() takes a ttl of %s as %i ms", (ttl, ttlMs) => {
  expect(read({ type: "active", node: NODE, ttl })).toMatchObject({ message: { ttlMs } });
});

test.each([
  ["no JSON", "{"],
  ["no object", "7"],
  ["no type", "{}"],
  ["a type that is no text", '{"type":7}'],
  ["an active without a node", '{"type":"active"}'],
  ["a node without an address", JSON.stringify({ type: "active", node: { service: "a" } })],
  ["a node whose service is empty", JSON.stringify({ type: "active", node: { service: "", address: "x" } })],
  ["a log without a sequence", JSON.stringify({ type: "log", context: { traceId: "t" } })],
])("readMdkMessage() says of %s that it is malformed", (_, text) => {
  expect(readMdkMessage(text).state).toBe("malformed");
});

test.each(["later", "constructor", "__proto__", "logack", "clear"])("readMdkMessage() ignores the type %s", (type) => {
  expect(read({ type })).toEqual({ state: "ignored" });
});

test("readMdkMessage() keeps of properties that are too large or too deep what names the process", () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
  const propertiesOf = (properties: unknown) => {
    const found = read({ type: "active", node: { ...NODE, properties } });
    return found.state === "read" && found.message.type === "active" ? found.message.node.properties : null;
  };
  expect(propertiesOf({ a: true, datawire_nodeId: "n" })).toEqual({ a: true, datawire_nodeId: "n" });
  expect(propertiesOf({ a: "x".repeat(10_000), datawire_nodeId: "n" })).toEqual({ datawire_nodeId: "n" });
  expect(propertiesOf({ a: nested(100), datawire_nodeId: "n" })).toEqual({ datawire_nodeId: "n" });
  expect(propertiesOf({ a: nested(100) })).toEqual({});
  expect(propertiesOf("no object")).toEqual({});
  expect(readMdkMessage(`{"type":"active","node":${"[".repeat(100_000)}`).state).toBe("malformed");
});

test("frames say of a node all that an original needs, and none of it twice", () => {
  const shown = {
    id: "h-1",
    service: "hello",
    version: "0",
    address: "http://h:1",
    properties: {},
    environment: "blue",
  };
  expect(JSON.parse(frames.active(shown, 30))).toEqual({
    type: "active",
    ttl: 30,
    node: { ...shown, environment: { name: "blue", fallbackName: null } },
  });
  expect(JSON.parse(frames.expire(shown))).toEqual({
    type: "expire",
    node: { ...shown, environment: { name: "blue", fallbackName: null } },
  });
});

test.each([
  [{}, true],
  [{ id: null }, false],
  [{ id: "" }, false],
  [{ service: "" }, false],
  [{ version: null }, false],
  [{ version: "" }, false],
  [{ address: "" }, false],
])("canBeShown() of a node with %j", (fields, expected) => {
  expect(canBeShown({ ...NODE, ...fields })).toBe(expected);
});

const SAMPLES = [
  { type: "open", version: "2.0.0", mdkVersion: "2.0.37", properties: {}, nodeId: "n1", environment },
  { type: "active", node: { ...NODE, environment }, ttl: 30 },
  { type: "expire", node: NODE },
  {
    type: "log",
    context: { traceId: "t", clock: { clocks: [1, 2] }, properties: {}, environment },
    timestamp: 1,
    node: "n1",
    level: "INFO",
    category: "c",
    text: "x",
    sequence: 0,
    sync: 1,
  },
  { type: "subscribe" },
  { type: "interactionevent", uuid: "u", node: "n", results: { a: 1 }, sequence: 0 },
];

test("readMdkMessage() reads any text, or says why not", async () => {
  await fuzz(
    { test: 2_000, soak: 1_000_000 },
    (chance) => mutateJson(chance.pick(SAMPLES), chance),
    (text) => expect(["read", "ignored", "malformed"]).toContain(readMdkMessage(text).state),
  );
});
