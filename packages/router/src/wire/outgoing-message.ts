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
  const header = failures === 0 && missed === 0 ? plainHeaderBytes(payload) : -1;
  if (header !== -1) return { head: withOffset(payload.subarray(0, header), sequence), rest: payload.subarray(header) };
  // It was read when it came.
  sections.scan(payload);
  const changed = headerOf(failures);
  if (!isTopic) {
    const annotations = sections.startOf("deliveryAnnotations");
    const rest = payload.subarray(annotations === -1 ? sections.passedOn : annotations);
    return { head: encodeHead(changed, null), rest };
  }
  const more: Fields = new Map([
    [OFFSET, ulong(sequence)],
    ...(missed > 0 ? ([[MISSED, ulong(missed)]] as const) : []),
  ]);
  const head = Buffer.concat([encodeHead(changed, null), annotated(sections, "deliveryAnnotations", more)]);
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

/** How a section begins that is described by a small number, as all clients write them. */
const isShort = (payload: Uint8Array, at: number): boolean => payload[at] === 0 && payload[at + 1] === 0x53;

/**
 * How many bytes the header of a message is, 0 where it has none; -1 where that, or whether delivery annotations follow, is not
 * said in the short form of all clients.
 */
function plainHeaderBytes(payload: Uint8Array): number {
  let at = 0;
  if (isShort(payload, 0) && payload[2] === HEADER) {
    if (payload[3] === EMPTY_LIST) at = 4;
    else if (payload[3] === SHORT_LIST) at = 5 + (payload[4] as number);
    else return -1;
  }
  return isShort(payload, at) && (payload[at + 2] as number) > DELIVERY_ANNOTATIONS ? at : -1;
}

const HEADER = 0x70;
const DELIVERY_ANNOTATIONS = 0x71;
const EMPTY_LIST = 0x45;
const SHORT_LIST = 0xc0;

/** The delivery annotations that say an offset and nothing else; the offset is the last eight bytes. */
const OFFSET_ALONE = encodeHead(null, new Map([[OFFSET, new Typed("ulong", 2n ** 63n)]]));

function withOffset(header: Uint8Array, sequence: number): Uint8Array {
  const head = Buffer.allocUnsafe(header.length + OFFSET_ALONE.length);
  head.set(header, 0);
  head.set(OFFSET_ALONE, header.length);
  head.writeUInt32BE(Math.floor(sequence / 2 ** 32), head.length - 8);
  head.writeUInt32BE(sequence >>> 0, head.length - 4);
  return head;
}
