/**
 * What stands in the body of a block, one after the other, little-endian:
 *
 *     message      1, flags u8, keys length u16, address u32, sequence f64, accepted at f64 (ms), ttl u32, payload length u32,
 *                  keys, payload
 *     settled      2, 0, 0 u16, address u32, subscription u32, count u32, then for each: from f64, length u32
 *     failed       3, 0, 0 u16, address u32, subscription u32, deliveries u32, sequence f64
 *     control      4, 0, 0 u16, length u32, JSON
 *
 * Subscription 0 is the queue itself. The keys of a message are what it is known by again, as JSON. Its ttl is in milliseconds, and with
 * the flag 1 in seconds.
 */
const MESSAGE_BYTES = 32;
const SETTLED_BYTES = 16;
const RANGE_BYTES = 12;
/** Where the length of the first range of a settled record is. */
export const RANGE_LENGTH_AT = SETTLED_BYTES + 8;
const FAILED_BYTES = 24;
const CONTROL_BYTES = 8;

/** The flag of a ttl that is longer than 49 days. */
const TTL_IN_SECONDS = 1;
const MS_MAX = 2 ** 32 - 1;

const MESSAGE = 1;
const SETTLED = 2;
const FAILED = 3;
const CONTROL = 4;

/** What a message is known by again, so that it is accepted once. */
export interface MessageKeys {
  readonly producer?: { readonly name: string; readonly sequence: number } | undefined;
  readonly id?: string | undefined;
}

/** A message as it goes into the log. */
export interface MessageRecord {
  readonly address: number;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly acceptedAtMs: number;
  /** 0 for no end. */
  readonly ttlMs: number;
  readonly keys: MessageKeys | null;
  /** All sections, as they were sent. */
  readonly payload: Uint8Array;
}

/** Messages `from` to `from + length - 1`. */
export interface Range {
  readonly from: number;
  readonly length: number;
}

const EMPTY = Buffer.alloc(0);

/** A message that was found in a block. One object serves for all that are read, one after the other. */
export class FoundMessage {
  segment = 0;
  /** Of its record, in the segment. */
  offset = 0;
  length = 0;
  address = 0;
  sequence = 0;
  acceptedAtMs = 0;
  ttlMs = 0;
  #body: Buffer = EMPTY;
  #begin = 0;

  /** For whoever reads the block. */
  set(body: Buffer, begin: number, end: number): void {
    this.#body = body;
    this.#begin = begin;
    this.length = end - begin;
    this.address = body.readUInt32LE(begin + 4);
    this.sequence = body.readDoubleLE(begin + 8);
    this.acceptedAtMs = body.readDoubleLE(begin + 16);
    this.ttlMs = readTtl(body, begin);
  }

  keys(): MessageKeys | null {
    return this.#body.readUInt16LE(this.#begin + 2) === 0 ? null : this.record().keys;
  }

  /** All of it; the payload is valid as long as the block is. */
  record(): MessageRecord {
    return readMessage(this.#body.subarray(this.#begin, this.#begin + this.length));
  }
}

/** Takes what stands in a block, in order. What it is given is valid during the call alone. */
export interface RecordHandler {
  message(found: FoundMessage): void;
  settled(address: number, subscription: number, range: Range): void;
  failed(address: number, subscription: number, sequence: number, deliveries: number): void;
  /** @throws UnknownRecord */
  control(value: unknown): void;
}

/** What is whole by its checksum and yet makes no sense: another version has written it. */
export class UnknownRecord extends Error {
  override readonly name = "UnknownRecord";
}

/** The bytes of the keys of a message; empty for none. */
export function encodeKeys(keys: MessageKeys | null): Buffer {
  return keys === null ? EMPTY : Buffer.from(JSON.stringify(keys));
}

/** Writes a message at `at` of a buffer that has room for it. @returns where it ends. */
export function writeMessage(into: Buffer, at: number, record: MessageRecord, keys: Buffer): number {
  const { address, sequence, acceptedAtMs, ttlMs, payload } = record;
  into[at] = MESSAGE;
  const isLong = ttlMs > MS_MAX;
  into[at + 1] = isLong ? TTL_IN_SECONDS : 0;
  into.writeUInt16LE(keys.length, at + 2);
  into.writeUInt32LE(address, at + 4);
  into.writeDoubleLE(sequence, at + 8);
  into.writeDoubleLE(acceptedAtMs, at + 16);
  into.writeUInt32LE(isLong ? Math.min(Math.ceil(ttlMs / 1_000), MS_MAX) : ttlMs, at + 24);
  into.writeUInt32LE(payload.length, at + 28);
  into.set(keys, at + MESSAGE_BYTES);
  into.set(payload, at + MESSAGE_BYTES + keys.length);
  return at + MESSAGE_BYTES + keys.length + payload.length;
}

function readTtl(bytes: Buffer, begin: number): number {
  const ttl = bytes.readUInt32LE(begin + 24);
  return bytes[begin + 1] === TTL_IN_SECONDS ? ttl * 1_000 : ttl;
}

/** What a message takes. */
export const messageBytes = (payload: number, keys: number): number => MESSAGE_BYTES + keys + payload;

/** Reads the message that is all of some bytes; the payload is a part of them. */
export function readMessage(bytes: Buffer): MessageRecord {
  if (bytes.length < MESSAGE_BYTES || bytes[0] !== MESSAGE) throw new UnknownRecord("there is no message");
  const keysLength = bytes.readUInt16LE(2);
  const payloadLength = bytes.readUInt32LE(28);
  const payloadAt = MESSAGE_BYTES + keysLength;
  if (payloadAt + payloadLength !== bytes.length) throw new UnknownRecord("the message has another length");
  return {
    address: bytes.readUInt32LE(4),
    sequence: bytes.readDoubleLE(8),
    acceptedAtMs: bytes.readDoubleLE(16),
    ttlMs: readTtl(bytes, 0),
    keys: keysLength === 0 ? null : (JSON.parse(bytes.toString("utf8", MESSAGE_BYTES, payloadAt)) as MessageKeys),
    payload: bytes.subarray(payloadAt),
  };
}

/** The record that says which messages of an address are settled, for one subscription or the queue itself. */
export function encodeSettled(address: number, subscription: number, ranges: readonly Range[]): Buffer {
  const bytes = Buffer.alloc(SETTLED_BYTES + ranges.length * RANGE_BYTES);
  bytes[0] = SETTLED;
  bytes.writeUInt32LE(address, 4);
  bytes.writeUInt32LE(subscription, 8);
  bytes.writeUInt32LE(ranges.length, 12);
  ranges.forEach(({ from, length }, index) => {
    bytes.writeDoubleLE(from, SETTLED_BYTES + index * RANGE_BYTES);
    bytes.writeUInt32LE(length, SETTLED_BYTES + index * RANGE_BYTES + 8);
  });
  return bytes;
}

/** The record that says how often the delivery of a message has failed. */
export function encodeFailed(address: number, subscription: number, sequence: number, deliveries: number): Buffer {
  const bytes = Buffer.alloc(FAILED_BYTES);
  bytes[0] = FAILED;
  bytes.writeUInt32LE(address, 4);
  bytes.writeUInt32LE(subscription, 8);
  bytes.writeUInt32LE(deliveries, 12);
  bytes.writeDoubleLE(sequence, 16);
  return bytes;
}

/** The record of everything that is rare: addresses, subscriptions, snapshots. */
export function encodeControl(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const bytes = Buffer.alloc(CONTROL_BYTES + json.length);
  bytes[0] = CONTROL;
  bytes.writeUInt32LE(json.length, 4);
  json.copy(bytes, CONTROL_BYTES);
  return bytes;
}

/**
 * Hands each record of a body to the handler.
 * @param place of the body: messages are told by where they are.
 * @throws UnknownRecord
 */
export function readRecords(
  body: Buffer,
  { segment, offset }: { readonly segment: number; readonly offset: number },
  handler: RecordHandler,
): void {
  const found = new FoundMessage();
  found.segment = segment;
  let at = 0;
  const take = (length: number): number => {
    const begin = at;
    at += length;
    if (at > body.length) throw new UnknownRecord("a record ends after its block");
    return begin;
  };
  while (at < body.length) {
    const type = body[at];
    if (type === MESSAGE) {
      const begin = take(MESSAGE_BYTES);
      take(body.readUInt16LE(begin + 2) + body.readUInt32LE(begin + 28));
      found.offset = offset + begin;
      found.set(body, begin, at);
      handler.message(found);
    } else if (type === SETTLED) {
      const begin = take(SETTLED_BYTES);
      const [address, subscription] = [body.readUInt32LE(begin + 4), body.readUInt32LE(begin + 8)];
      for (let left = body.readUInt32LE(begin + 12); left > 0; left--) {
        const range = take(RANGE_BYTES);
        handler.settled(address, subscription, {
          from: body.readDoubleLE(range),
          length: body.readUInt32LE(range + 8),
        });
      }
    } else if (type === FAILED) {
      const begin = take(FAILED_BYTES);
      const [address, subscription] = [body.readUInt32LE(begin + 4), body.readUInt32LE(begin + 8)];
      handler.failed(address, subscription, body.readDoubleLE(begin + 16), body.readUInt32LE(begin + 12));
    } else if (type === CONTROL) {
      const begin = take(CONTROL_BYTES);
      const json = take(body.readUInt32LE(begin + 4));
      handler.control(JSON.parse(body.toString("utf8", json, at)));
    } else {
      throw new UnknownRecord(`there is no record of type ${type}`);
    }
  }
}
