import { DESCRIPTOR } from "../frames/descriptors.ts";
import { binary, type FieldCodec, string, symbolic, uint } from "../frames/fields.ts";
import { CODE } from "../types/codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { readValue } from "../types/decode-value.ts";
import { writeValue } from "../types/encode-value.ts";
import type { Reader } from "../types/reader.ts";
import { Typed } from "../types/values.ts";
import type { Writer } from "../types/writer.ts";

/** What identifies a message: a text, bytes, or a ulong or a uuid as `Typed`. */
export type MessageId = string | Uint8Array | Typed;

/** An id as a text: a ulong in decimal, a uuid in its usual form, bytes in hexadecimal. */
export function messageIdText(id: MessageId): string {
  if (typeof id === "string") return id;
  const value = id instanceof Typed ? id.value : id;
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  const hex = Array.from(value as Uint8Array, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return id instanceof Typed ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") : hex;
}

/** The properties of a message, which nobody changes on the way. */
export interface Properties {
  readonly messageId?: MessageId;
  readonly userId?: Uint8Array;
  readonly to?: string;
  readonly subject?: string;
  readonly replyTo?: string;
  readonly correlationId?: MessageId;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly absoluteExpiryTime?: Date;
  readonly creationTime?: Date;
  readonly groupId?: string;
  readonly groupSequence?: number;
  readonly replyToGroupId?: string;
}

const messageId: FieldCodec<MessageId> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const value = readValue(reader, true);
    if (typeof value === "string" || value instanceof Uint8Array) return value;
    if (value instanceof Typed && (value.type === "ulong" || value.type === "uuid")) return value;
    throw new WireFailure(CONDITION.invalidField, "Cannot read a message id: it is no string, binary, ulong or uuid");
  },
  write: (writer, value) => writeValue(writer, value),
};

const timestamp: FieldCodec<Date> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const value = readValue(reader);
    if (!(value instanceof Date)) throw decodeFailure("Cannot read a timestamp: it is none");
    return value;
  },
  write: (writer, value) => writer.timestamp(value.getTime()),
};

const address: FieldCodec<string> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const text = reader.name();
    if (text === null) throw new WireFailure(CONDITION.invalidField, "Cannot read an address: it is no text");
    return text;
  },
  write: (writer, value) => writer.string(value),
};

type Mutable = { -readonly [K in keyof Properties]: Properties[K] };

/** Where one of the properties is in the object: nearly every message has some, and to look them up by a key is slow. */
interface Place<T> {
  get(properties: Properties): T | undefined;
  set(properties: Mutable, value: T): void;
}

interface PropertyField<T> extends Place<T> {
  readonly codec: FieldCodec<T>;
}

const field = <T>(codec: FieldCodec<T>, place: Place<T>): PropertyField<unknown> => ({ codec, ...place });

/** In the order of the list. */
const FIELDS: readonly PropertyField<unknown>[] = [
  field(messageId, { get: (p) => p.messageId, set: (p, value) => void (p.messageId = value) }),
  field(binary, { get: (p) => p.userId, set: (p, value) => void (p.userId = value) }),
  field(address, { get: (p) => p.to, set: (p, value) => void (p.to = value) }),
  field(string, { get: (p) => p.subject, set: (p, value) => void (p.subject = value) }),
  field(address, { get: (p) => p.replyTo, set: (p, value) => void (p.replyTo = value) }),
  field(messageId, { get: (p) => p.correlationId, set: (p, value) => void (p.correlationId = value) }),
  field(symbolic, { get: (p) => p.contentType, set: (p, value) => void (p.contentType = value) }),
  field(symbolic, { get: (p) => p.contentEncoding, set: (p, value) => void (p.contentEncoding = value) }),
  field(timestamp, { get: (p) => p.absoluteExpiryTime, set: (p, value) => void (p.absoluteExpiryTime = value) }),
  field(timestamp, { get: (p) => p.creationTime, set: (p, value) => void (p.creationTime = value) }),
  field(string, { get: (p) => p.groupId, set: (p, value) => void (p.groupId = value) }),
  field(uint, { get: (p) => p.groupSequence, set: (p, value) => void (p.groupSequence = value) }),
  field(string, { get: (p) => p.replyToGroupId, set: (p, value) => void (p.replyToGroupId = value) }),
];

/** Reads the list of properties; those that are null or not there are left out. Throws `WireFailure`. */
export function readProperties(reader: Reader): Properties {
  reader.list();
  const { listEnd, fields } = reader;
  const properties: Mutable = {};
  for (let at = 0; at < fields && at < FIELDS.length; at++) {
    const { codec, set } = FIELDS[at] as PropertyField<unknown>;
    const value = codec.read(reader);
    if (value !== null) set(properties, value);
  }
  reader.endList(listEnd, Math.max(0, fields - FIELDS.length));
  return properties;
}

/** Writes properties with their descriptor; nulls at the end are left out. */
export function writeProperties(writer: Writer, properties: Properties): void {
  writer.descriptor(DESCRIPTOR.properties);
  let count = FIELDS.length;
  while (count > 0 && FIELDS[count - 1]?.get(properties) == null) count--;
  if (count === 0) return writer.byte(CODE.list0);
  const at = writer.begin32(CODE.list32);
  for (let i = 0; i < count; i++) {
    const { codec, get } = FIELDS[i] as PropertyField<unknown>;
    const value = get(properties);
    if (value == null) writer.null();
    else codec.write(writer, value);
  }
  writer.end32(at, count);
}
