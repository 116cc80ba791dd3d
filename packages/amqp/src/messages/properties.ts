import { binary, type Field, type FieldCodec, optional, string, symbolic, uint } from "../frames/fields.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { readValue } from "../types/decode-value.ts";
import { writeValue } from "../types/encode-value.ts";
import { textOf, Typed } from "../types/values.ts";

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
  write: (writer, value) => writeValue(writer, value),
};

const address: FieldCodec<string> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const text = textOf(readValue(reader));
    if (text === null) throw new WireFailure(CONDITION.invalidField, "Cannot read an address: it is no text");
    return text;
  },
  write: (writer, value) => writer.string(value),
};

/** The fields of properties, in their order. */
export const PROPERTIES: readonly Field[] = [
  optional("messageId", messageId),
  optional("userId", binary),
  optional("to", address),
  optional("subject", string),
  optional("replyTo", address),
  optional("correlationId", messageId),
  optional("contentType", symbolic),
  optional("contentEncoding", symbolic),
  optional("absoluteExpiryTime", timestamp),
  optional("creationTime", timestamp),
  optional("groupId", string),
  optional("groupSequence", uint),
  optional("replyToGroupId", string),
];
