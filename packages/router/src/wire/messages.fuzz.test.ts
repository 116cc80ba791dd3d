import { encodeMessage, Described, Typed, type Value } from "@datawire/amqp";
import { Chance } from "@datawire/protocol/testing/chance";
import { expect, test } from "vitest";
import { annotate } from "./annotate.ts";
import { deadLetter } from "./dead-letter.ts";
import { readFilter } from "./filter.ts";
import { readIncoming, readTo } from "./incoming-message.ts";
import { toOutgoing } from "./outgoing-message.ts";

const FULL = encodeMessage({
  header: { durable: true, priority: 5, ttl: 10_000, deliveryCount: 1 },
  deliveryAnnotations: new Map<string, Value>([["x-opt-hop", 1]]),
  messageAnnotations: new Map<string, Value>([
    ["x-opt-datawire-producer", "p"],
    ["x-opt-datawire-sequence", new Typed("ulong", 7n)],
  ]),
  properties: { messageId: "m", to: "orders", subject: "s", creationTime: new Date(0) },
  applicationProperties: new Map<string, Value>([["colour", "red"]]),
  body: { type: "value", value: new Map<Value, Value>([["a", [1, 2, 3]]]) },
  footer: new Map<string, Value>([["f", true]]),
});

const { takes } = readFilter(
  new Map([
    [
      "s",
      new Described(
        new Typed("symbol", "apache.org:selector-filter:string"),
        "colour = 'red' AND JMSType <> 'x' AND JMSMessageID IS NOT NULL",
      ),
    ],
  ]),
);

function mutate(chance: Chance): Buffer {
  const bytes = Buffer.from(FULL);
  for (let count = chance.int(4); count >= 0; count--) bytes[chance.int(bytes.length)] = chance.int(256);
  return chance.once(4) ? bytes.subarray(0, chance.int(bytes.length)) : bytes;
}

test("a message with any bytes is refused when it comes, or passes everything that becomes of messages later", () => {
  const rounds = process.env["DSTACK_SOAK"] === "1" ? 1_000_000 : 5_000;
  let taken = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const payload = mutate(new Chance(seed));
    readTo(payload);
    const incoming = readIncoming(payload, true);
    if ("malformed" in incoming) continue;
    taken++;
    const record = { address: 1, sequence: seed, acceptedAtMs: 0, ttlMs: incoming.ttlMs, keys: incoming.keys, payload };
    takes?.(record);
    for (const failures of [0, 1]) {
      for (const [isTopic, missed] of [
        [false, 0],
        [true, 0],
        [true, 3],
      ] as const) {
        const { head, rest } = toOutgoing({ sequence: seed, record, failures, missed }, isTopic);
        // What passes through a queue or a topic can be read by whoever gets it.
        expect("malformed" in readIncoming(Buffer.concat([head ?? Buffer.alloc(0), rest]), false)).toBe(false);
      }
    }
    const dead = annotate(payload, { reason: "r", from: "orders", atMs: 0 });
    deadLetter({ sequence: seed, record: { ...record, payload: dead }, failures: 0, missed: 0 });
  }
  expect(taken).toBeGreaterThan(rounds / 20);
});
