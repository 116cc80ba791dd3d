import { Described, encodeMessage, Typed, type Value } from "@datawire/amqp";
import { expect, test } from "vitest";
import { readFilter } from "./filter.ts";

const BYTES = encodeMessage({
  header: { priority: 6, deliveryCount: 1 },
  properties: { messageId: new Typed("ulong", 7n), subject: "s", groupSequence: 3, creationTime: new Date(1_000) },
  applicationProperties: new Map<string, Value>([
    ["int", new Typed("int", 7)],
    ["double", new Typed("double", 7)],
    ["ulong", new Typed("ulong", 2n ** 60n + 1n)],
    ["text", "7"],
    ["JMS_AMQP_TTL", new Typed("long", 5n)],
  ]),
  body: { type: "value", value: null },
});

test.each([
  ["int / 2 = 3 and double / 2 = 3.5", true],
  ["int = double", true],
  ["ulong = 1152921504606846977", true],
  ["ulong = 1152921504606846976", false],
  ["text = 7", false],
  ["JMSPriority / 4 = 1 and JMSXDeliveryCount / 4 = 0", true],
  ["JMSMessageID = 7 and JMSType = 's' and JMSXGroupSeq = 3 and JMSTimestamp = 1000", true],
  ["JMS_AMQP_TTL = 5 and JMSXAppID is null", true],
])("readFilter() with %s takes a message with typed properties: %s", (selector, expected) => {
  const filter = new Described(new Typed("symbol", "apache.org:selector-filter:string"), selector);
  const { takes } = readFilter(new Map([["s", filter]]));
  const record = { sequence: 1, acceptedAtMs: 0, ttlMs: 0, payload: BYTES };
  expect(takes?.(record as Parameters<NonNullable<typeof takes>>[0])).toBe(expected);
});
