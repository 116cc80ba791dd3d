import { decodeMessage, encodeMessage, type Message, Typed, type Value, WireFailure } from "@datawire/amqp";
import { expect, test } from "vitest";
import { toOutgoing } from "./outgoing-message.ts";

const BODY = { type: "value", value: "hello" } as const;
const SEQUENCE = 2 ** 33 + 5;
const OFFSET = ["x-opt-datawire-offset", SEQUENCE];

/** What a subscription gets of a message. */
function ofTopic(payload: Uint8Array, { failures = 0, missed = 0 } = {}): Message {
  const record = { address: 1, sequence: SEQUENCE, acceptedAtMs: 0, ttlMs: 0, keys: null, payload };
  const { head, rest } = toOutgoing({ sequence: SEQUENCE, record, failures, missed }, true);
  const message = decodeMessage(Buffer.concat([head ?? Buffer.alloc(0), rest]));
  if (message instanceof WireFailure) throw message;
  return message;
}

/** Annotations as numbers, whatever their types. */
const plain = (fields: Message["deliveryAnnotations"]): unknown[] =>
  [...(fields ?? [])].map(([key, value]) => [key, Number(value instanceof Typed ? value.value : value)]);

/** A header in the long form of lists, which some clients write. */
function withLongHeader(): Uint8Array {
  const [head, rest] = [[0, 0x53, 0x70, 0xd0, 0, 0, 0, 5, 0, 0, 0, 1, 0x41], encodeMessage({ body: BODY })];
  return Uint8Array.from([...head, ...rest]);
}

test.each<[string, Uint8Array, Message["header"]]>([
  ["without a header", encodeMessage({ body: BODY }), undefined],
  [
    "with a header",
    encodeMessage({ header: { durable: true, priority: 7 }, body: BODY }),
    { durable: true, priority: 7 },
  ],
  ["with an empty header", Uint8Array.from([0, 0x53, 0x70, 0x45, ...encodeMessage({ body: BODY })]), {}],
  ["with a header as a long list", withLongHeader(), { durable: true }],
])("toOutgoing() says to a subscription where a message %s is, and keeps what it says", (_what, payload, header) => {
  const got = ofTopic(payload);
  expect(got.header ?? {}).toMatchObject(header ?? {});
  expect(got.header?.durable ?? false).toBe(header?.durable ?? false);
  expect(plain(got.deliveryAnnotations)).toEqual([OFFSET]);
  expect(got.body).toEqual(BODY);
  const again = ofTopic(payload, { failures: 2, missed: 3 });
  expect(again.header).toMatchObject({ deliveryCount: 2 });
  expect(plain(again.deliveryAnnotations)).toEqual([OFFSET, ["x-opt-datawire-missed", 3]]);
});

test("toOutgoing() adds to the delivery annotations that a message has", () => {
  const deliveryAnnotations = new Map<string, Value>([["x-opt-hop", 1]]);
  for (const header of [{ durable: true }, undefined]) {
    const payload = encodeMessage({ ...(header && { header }), deliveryAnnotations, body: BODY });
    expect(plain(ofTopic(payload).deliveryAnnotations)).toEqual(expect.arrayContaining([["x-opt-hop", 1], OFFSET]));
  }
});
