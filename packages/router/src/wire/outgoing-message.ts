import { annotated, encodeHead, type Fields, type Header, Sections, Typed } from "@datawire/amqp";
import type { Delivery } from "../queue/delivery.ts";

/** Where in its topic a message is. */
const OFFSET = "x-opt-datawire-offset";
/** How many messages before it were dropped unread. */
const MISSED = "x-opt-datawire-missed";

/** A message in the two parts in which it is sent. */
export interface Outgoing {
  /** What is said anew; left out where nothing is. */
  readonly head?: Uint8Array;
  /** As it came. */
  readonly rest: Uint8Array;
}

const sections = new Sections();

/**
 * A message as a consumer gets it: the header counts failed deliveries, and of a topic a delivery annotation says the
 * offset. All other bytes are as they were sent.
 */
export function toOutgoing({ record, failures, sequence, missed }: Delivery, isTopic: boolean): Outgoing {
  const { payload } = record;
  if (failures === 0 && !isTopic) return { rest: payload };
  if (failures === 0 && missed === 0 && hasNoHead(payload)) return { head: offsetAlone(sequence), rest: payload };
  // It was read when it came.
  sections.scan(payload);
  const header = headerOf(failures);
  if (!isTopic) {
    const annotations = sections.startOf("deliveryAnnotations");
    const rest = payload.subarray(annotations === -1 ? sections.passedOn : annotations);
    return { head: encodeHead(header, null), rest };
  }
  const more: Fields = new Map([
    [OFFSET, ulong(sequence)],
    ...(missed > 0 ? ([[MISSED, ulong(missed)]] as const) : []),
  ]);
  const head = Buffer.concat([encodeHead(header, null), annotated(sections, "deliveryAnnotations", more)]);
  return { head, rest: payload.subarray(sections.passedOn) };
}

function headerOf(failures: number): Header | null {
  if (failures === 0 && sections.startOf("header") === -1) return null;
  const { durable, priority, ttl, deliveryCount, firstAcquirer } = sections;
  return {
    durable,
    ...(priority >= 0 && { priority }),
    ...(ttl >= 0 && { ttl }),
    // Somebody had it before.
    firstAcquirer: failures === 0 && firstAcquirer,
    deliveryCount: deliveryCount + failures,
  };
}

const ulong = (value: number): Typed => new Typed("ulong", BigInt(value));

/** Whether a message begins with neither a header nor delivery annotations, written in the short form of all clients. */
const hasNoHead = (payload: Uint8Array): boolean =>
  payload[0] === 0 && payload[1] === 0x53 && (payload[2] === 0x72 || (payload[2] ?? 0) >= 0x73);

/** The delivery annotations that say an offset and nothing else; the offset is the last eight bytes. */
const OFFSET_ALONE = encodeHead(null, new Map([[OFFSET, new Typed("ulong", 2n ** 63n)]]));

function offsetAlone(sequence: number): Uint8Array {
  const bytes = Buffer.from(OFFSET_ALONE);
  bytes.writeBigUInt64BE(BigInt(sequence), bytes.length - 8);
  return bytes;
}
