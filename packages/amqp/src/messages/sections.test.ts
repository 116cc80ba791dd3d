import { expect, test } from "vitest";
import { symbol } from "../types/values.ts";
import { encodeHead } from "./header.ts";
import { decodeMessage, encodeMessage, type Message } from "./message.ts";
import { Sections } from "./sections.ts";

const message: Message = {
  header: { durable: true, ttl: 5_000, deliveryCount: 3 },
  deliveryAnnotations: new Map([["x-opt-place", 7]]),
  messageAnnotations: new Map([["x-opt-kind", symbol("a")]]),
  properties: { messageId: "m1", to: "orders", creationTime: new Date(5) },
  applicationProperties: new Map([["colour", "red"]]),
  body: { type: "data", parts: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)] },
  footer: new Map([["x-opt-sum", 1]]),
};

test("decodeMessage() undoes encodeMessage()", () => {
  expect(decodeMessage(encodeMessage(message))).toEqual(message);
});

test("Sections reads the header at once, and the others when asked", () => {
  const sections = new Sections();
  expect(sections.scan(encodeMessage(message))).toBe(true);
  expect(sections).toMatchObject({ durable: true, priority: -1, ttl: 5_000, firstAcquirer: false, deliveryCount: 3 });
  expect(sections.deliveryAnnotations()).toEqual(message.deliveryAnnotations);
  expect(sections.messageAnnotations()).toEqual(message.messageAnnotations);
  expect(sections.properties()).toEqual(message.properties);
  expect(sections.applicationProperties()).toEqual(message.applicationProperties);
});

test("Sections says what is passed on as it is, so that another head goes before it", () => {
  const bytes = encodeMessage(message);
  const sections = new Sections();
  sections.scan(bytes);
  const head = encodeHead({ deliveryCount: 4 }, null);
  const rewritten = decodeMessage(new Uint8Array([...head, ...bytes.subarray(sections.passedOn)]));
  const { deliveryAnnotations: _, ...rest } = message;
  expect(rewritten).toEqual({ ...rest, header: { deliveryCount: 4 } });
});

test.each([
  ["sections out of order", [0x00, 0x53, 0x73, 0x45, 0x00, 0x53, 0x70, 0x45]],
  ["a section twice", [0x00, 0x53, 0x70, 0x45, 0x00, 0x53, 0x70, 0x45]],
  ["data beside a value", [0x00, 0x53, 0x75, 0xa0, 0x00, 0x00, 0x53, 0x77, 0x40]],
  ["a section that ends too early", [0x00, 0x53, 0x75, 0xa0, 0x05, 0x00]],
  ["no section at all", [0x40]],
])("scan() refuses %s", (_, bytes) => {
  const sections = new Sections();
  expect(sections.scan(Uint8Array.from(bytes))).toBe(false);
  expect(sections.why?.condition).toBe("amqp:decode-error");
});

test("scan() takes a message of no bytes, which some send", () => {
  expect(new Sections().scan(new Uint8Array(0))).toBe(true);
});
