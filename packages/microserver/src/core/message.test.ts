import { decodeMessage, Described, encodeMessage, Typed, TypedArray, WireFailure } from "@datawire/amqp";
import { expect, test } from "vitest";
import type { Body } from "./body.ts";
import { derivedIdentity } from "./derived-identity.ts";
import { answeredId, draft, headOf, type Message, readMessage, type SendFields } from "./message.ts";

const IDENTITY = { producer: "p", sequence: 7 };

function sent(body: Body, fields: SendFields = {}): { message: Message; identity: unknown } {
  const made = draft("orders", body, fields, 1_000);
  const read = readMessage(new Uint8Array([...headOf(made, IDENTITY), ...made.rest]), "orders");
  if (read instanceof WireFailure) throw read;
  return read;
}

const uuid = new Typed("uuid", new Uint8Array(16));
test.each<[string, Body]>([
  ["null", null],
  ["numbers", [0, -0, 1, -1, 2 ** 31, 2 ** 40, 2 ** 53, 1.5, Infinity]],
  ["bigints", 5n],
  ["bigints among numbers", { big: [-5n, 2n ** 63n], far: 2 ** 40, small: 3 }],
  ["text", "größer"],
  ["dates", { at: new Date(12) }],
  ["bytes", new Uint8Array([1, 2])],
  ["bytes inside", [new Uint8Array([1, 2])]],
  ["objects", { a: { b: [] }, __proto__x: 1, "": null }],
  ["maps", new Map<Body, Body>([[1, "one"]])],
  ["wrappers", uuid],
])("a body comes back as it was sent: %s", (_, body) => {
  expect(sent(body).message.body).toEqual(body);
});

test("a whole number of a peer that has longs is a number", () => {
  const bytes = encodeMessage({ body: { type: "value", value: new Typed("long", 5n) } });
  expect(readMessage(bytes, "orders")).toMatchObject({ message: { body: 5 }, identity: null });
});

test.each<[string, Body]>([
  ["bytes", new Uint8Array([1, 2])],
  ["bytes inside", { list: [new Uint8Array([1, 2])] }],
  ["wrappers", [uuid, new Described(new Typed("ulong", 5n), [uuid]), new TypedArray("binary", [new Uint8Array([3])])]],
])("readMessage() keeps none of the bytes that it reads: %s", (_, body) => {
  const made = draft("orders", body, { properties: { x: new Uint8Array([4]) } }, 1_000);
  const bytes = new Uint8Array([...headOf(made, IDENTITY), ...made.rest]);
  const read = readMessage(bytes, "orders");
  const wanted = structuredClone(read);
  bytes.fill(0xff);
  expect(structuredClone(read)).toEqual(wanted);
});

test("draft() takes null for nothing, as messages have it", () => {
  const { id, subject, replyTo, correlationId } = sent("body").message;
  expect(sent("body", { id, subject, replyTo, correlationId } as unknown as SendFields).message).toMatchObject({
    id: null,
    subject: null,
    replyTo: null,
    correlationId: null,
  });
});

test("readMessage() has a property for each key, whatever it is called", () => {
  const properties = JSON.parse('{ "__proto__": 1, "constructor": 2 }') as SendFields["properties"];
  const read = sent(null, properties === undefined ? {} : { properties }).message.properties;
  expect(Object.entries(read)).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

test.each([1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])("headOf() has the number %i", (sequence) => {
  const made = draft("orders", null, {}, 1_000);
  const read = readMessage(new Uint8Array([...headOf(made, { producer: "p", sequence }), ...made.rest]), "orders");
  expect(read).toMatchObject({ identity: { producer: "p", sequence } });
});

test.each<[string, unknown]>([
  ["a function", () => {}],
  ["an object of a class", new URL("http://x")],
  ["a bigint of more than 64 bits", 2n ** 64n],
  ["a Date that is none", new Date(Number.NaN)],
  ["something deeper than 30", Array.from({ length: 40 }).reduce<Body>((inner) => [inner], 1)],
])("draft() refuses %s", (what, body) => {
  expect(() => draft("orders", body as Body, {}, 0)).toThrow(
    expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining(what) as string }) as Error,
  );
});

test("draft() and headOf() say all that a sender may say, and who it is", () => {
  const fields = { id: "i", subject: "s", replyTo: "r", correlationId: "c", properties: { x: 1 } };
  const { message, identity } = sent("body", { ...fields, annotations: { "x-opt-a": true } });
  expect(message).toMatchObject({ ...fields, address: "orders", deliveryCount: 0, offset: null, at: new Date(1_000) });
  expect(message.annotations).toMatchObject({ "x-opt-a": true });
  expect(identity).toEqual(IDENTITY);
});

test.each([
  [{ messageId: new Typed("ulong", 7n) }, "7", new Typed("ulong", 7n)],
  [{ messageId: uuid, correlationId: "c" }, "00000000-0000-0000-0000-000000000000", "c"],
  [{ messageId: "i", correlationId: uuid }, "i", uuid],
  [{ messageId: new Uint8Array([1, 255]) }, "01ff", new Uint8Array([1, 255])],
  [{ messageId: "i" }, "i", "i"],
  [{}, null, null],
])("an id is shown as a text, and answered in its own type: %#", (properties, id, answered) => {
  const read = readMessage(encodeMessage({ properties, body: { type: "value", value: 1 } }), "orders");
  if (read instanceof WireFailure) throw read;
  expect([read.message.id, answeredId(read.message)]).toEqual([id, answered]);
  const answer = draft("r", null, { correlationId: answeredId(read.message) ?? "none" }, 0);
  expect(decodeMessage(answer.rest)).toMatchObject({ properties: { correlationId: answered ?? "none" } });
});

test("derivedIdentity() is the same for the same input and output alone", () => {
  expect(derivedIdentity(["a", 1])).toEqual(derivedIdentity(["a", 1]));
  expect(derivedIdentity(["a", 1])).not.toEqual(derivedIdentity(["a", 2]));
  expect(derivedIdentity(["a", 1]).producer.length).toBeLessThan(255);
});
