import { Described, Typed, type Value } from "@datawire/amqp";
import { expect, test } from "vitest";
import { bodyText, messageView } from "./message-view.ts";

const value = (value: Value) => ({ type: "value", value }) as const;

test("messageView() has what a message says of itself", () => {
  const at = new Date("2026-11-30T03:00:00Z");
  const view = messageView(
    {
      header: { deliveryCount: 2 },
      deliveryAnnotations: new Map([["x-opt-datawire-offset", new Typed("ulong", 7n)]]),
      properties: { messageId: new Typed("ulong", 5n), subject: "s", creationTime: at },
      applicationProperties: new Map<string, Value>([["a", 1n]]),
      body: value("hello"),
    },
    "topic/x",
    0,
  );
  expect(view).toEqual({
    address: "topic/x",
    id: "5",
    subject: "s",
    body: "hello",
    properties: { a: 1 },
    deliveryCount: 2,
    offset: 7,
    at: "2026-11-30T03:00:00.000Z",
  });
});

test.each<[Value, string]>([
  ["text", "text"],
  [null, "null"],
  [2n ** 60n, "1152921504606846976"],
  [[1, "two"], '[1,"two"]'],
  [new Map<Value, Value>([["a", new Map<Value, Value>([[1, true]])]]), '{"a":{"1":true}}'],
  [new Described("x", "inner"), "inner"],
  [new Typed("uuid", Buffer.alloc(16, 7)), "07070707-0707-0707-0707-070707070707"],
  [Buffer.from("bytes"), "bytes"],
  [Buffer.from([0xff]), "/w=="],
])("bodyText() of a body is its text, or JSON: %#", (body, text) => {
  expect(bodyText(messageView({ body: value(body) }, "q", 0).body)).toBe(text);
});
