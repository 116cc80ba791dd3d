import { expect, test } from "vitest";
import { fromHex, toHex } from "../testing/frames.ts";
import { symbol } from "../types/values.ts";
import { annotated } from "./annotated.ts";
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

test("encodeMessage() leaves alone what it has written before, also where it fails and where a message is large", () => {
  const sizes = [10, 700, 1_500, 1_500, 5_000, 10, 900, 900, 900, 100_000, 1];
  const bodies = sizes.map((size, i) => new Uint8Array(size).fill(i));
  const written = bodies.map((part) => {
    expect(() => encodeMessage({ body: { type: "value", value: [part, new Date(Number.NaN)] } })).toThrow(TypeError);
    return encodeMessage({ ...message, body: { type: "data", parts: [part] } });
  });
  for (const [i, bytes] of written.entries())
    expect(decodeMessage(bytes)).toEqual({ ...message, body: { type: "data", parts: [bodies[i]] } });
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

test.each<[string, string, string]>([
  ["none", "", "00 53 72 d1 00000009 00000002 a3 01 78 54 01"],
  [
    "some in forms that we would not write",
    // A ulong of eight bytes, an array of two, and a key that is a number.
    "00 53 72 c1 1b 06 a3 01 61 80 0000000000000005 a3 01 62 e0 04 02 50 01 02 53 07 a1 01 63",
    "00 53 72 d1 00000023 00000008 a3 01 61 80 0000000000000005 a3 01 62 e0 04 02 50 01 02 53 07 a1 01 63 a3 01 78 54 01",
  ],
  [
    "the one that is given anew",
    "00 53 72 c1 09 04 a3 01 78 41 a3 01 79 41",
    "00 53 72 d1 0000000d 00000004 a3 01 79 41 a3 01 78 54 01",
  ],
  ["null", "00 53 72 40", "00 53 72 d1 00000009 00000002 a3 01 78 54 01"],
])("annotated() keeps what there is, byte for byte: %s", (_, before, after) => {
  const sections = new Sections();
  expect(sections.scan(fromHex(`${before} 00 53 75 a0 01 07`))).toBe(true);
  const bytes = annotated(sections, "messageAnnotations", new Map([["x", 1]]));
  expect(toHex(bytes)).toBe(after.replaceAll(" ", ""));
  expect(sections.endOf("messageAnnotations")).toBe(before === "" ? -1 : fromHex(before).length);
  expect(new Sections().scan(Uint8Array.from([...bytes, ...fromHex("00 53 75 a0 01 07")]))).toBe(true);
});

test.each([
  ["annotations that are a list", "00 53 71 45"],
  ["annotations with half a pair", "00 53 72 c1 02 01 40"],
  ["annotations with bytes left", "00 53 72 c1 04 02 40 40 40"],
  ["application properties of four billion pairs", "00 53 74 d1 00000005 fffffffe 40"],
  ["properties that are a map", "00 53 73 c1 01 00"],
  ["data that is a text", "00 53 75 a1 00"],
  ["a sequence that is one value", "00 53 76 40"],
])("scan() refuses %s", (_, bytes) => {
  expect(new Sections().scan(fromHex(bytes))).toBe(false);
});

test("annotated() passes over keys that it cannot read", () => {
  const sections = new Sections();
  expect(sections.scan(fromHex("00 53 71 c1 06 02 a3 01 ff 54 05"))).toBe(true);
  expect(toHex(annotated(sections, "deliveryAnnotations", new Map([["x", 1]])))).toBe(
    "005371d10000000e00000004a301ff5405a301785401",
  );
});
