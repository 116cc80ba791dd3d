import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "../frames/descriptors.ts";
import { type Fields, fieldsMap } from "../frames/fields.ts";
import { CODE } from "../types/codes.ts";
import { decodeFailure, WireFailure } from "../types/conditions.ts";
import { type DecodeOptions, readValue } from "../types/decode-value.ts";
import { writeValue } from "../types/encode-value.ts";
import { plainBytes } from "../types/plain-bytes.ts";
import { Reader } from "../types/reader.ts";
import type { Value } from "../types/values.ts";
import { Writer } from "../types/writer.ts";
import { type Header, readHeader, writeHeader } from "./header.ts";
import { type Properties, readProperties, writeProperties } from "./properties.ts";

/** The body of a message: bytes, lists, or one value of any type. */
export type Body =
  | { readonly type: "data"; readonly parts: readonly Uint8Array[] }
  | { readonly type: "sequence"; readonly parts: readonly (readonly Value[])[] }
  | { readonly type: "value"; readonly value: Value };

/** A whole message, taken apart. */
export interface Message {
  readonly header?: Header;
  readonly deliveryAnnotations?: Fields;
  readonly messageAnnotations?: Fields;
  readonly properties?: Properties;
  /** With texts for keys. */
  readonly applicationProperties?: Fields;
  /** Left out: none, which the specification does not allow and some send. */
  readonly body?: Body;
  readonly footer?: Fields;
}

/**
 * Messages are written one behind the other into bytes that they share: to make an array of bytes for each costs more than to
 * write it. Whoever keeps a single one keeps no more than this.
 */
const SHARED_BYTES = 2_048;
let shared = new Writer(SHARED_BYTES);

/** A message as bytes, a view of more of them. Throws `TypeError` for values that AMQP has no type for. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = shared;
  const start = writer.length;
  try {
    writeSections(writer, message);
  } catch (error) {
    writer.length = start;
    throw error;
  }
  const bytes = writer.bytes.subarray(start, writer.length);
  const left = writer.bytes.length - writer.length;
  // Where it grew, or another one of its size would make it grow.
  if (writer.bytes.length !== SHARED_BYTES || left < bytes.length) shared = new Writer(SHARED_BYTES);
  return bytes;
}

function writeSections(writer: Writer, message: Message): void {
  if (message.header !== undefined) writeHeader(writer, message.header);
  writeFields(writer, DESCRIPTOR.deliveryAnnotations, message.deliveryAnnotations);
  writeFields(writer, DESCRIPTOR.messageAnnotations, message.messageAnnotations);
  if (message.properties !== undefined) writeProperties(writer, message.properties);
  if (message.applicationProperties !== undefined) {
    writer.descriptor(DESCRIPTOR.applicationProperties);
    writeValue(writer, new Map(message.applicationProperties));
  }
  if (message.body !== undefined) writeBody(writer, message.body);
  writeFields(writer, DESCRIPTOR.footer, message.footer);
}

/** The message that bytes are, or the failure to read them. Binaries in it are views of the bytes. */
export function decodeMessage(bytes: Uint8Array, options: DecodeOptions = {}): Message | WireFailure {
  const reader = new Reader(plainBytes(bytes));
  const message: { -readonly [K in keyof Message]: Message[K] } = {};
  try {
    while (reader.at < reader.end) readSection(reader, message, options.typed ?? false);
    return message;
  } catch (error) {
    if (error instanceof WireFailure) return error;
    throw error;
  }
}

function readSection(reader: Reader, message: { -readonly [K in keyof Message]: Message[K] }, typed: boolean): void {
  const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
  switch (code) {
    case DESCRIPTOR.header:
      message.header = readHeader(reader);
      return;
    case DESCRIPTOR.deliveryAnnotations:
      message.deliveryAnnotations = fieldsMap.read(reader) ?? NO_FIELDS;
      return;
    case DESCRIPTOR.messageAnnotations:
      message.messageAnnotations = fieldsMap.read(reader) ?? NO_FIELDS;
      return;
    case DESCRIPTOR.properties:
      message.properties = readProperties(reader);
      return;
    case DESCRIPTOR.applicationProperties:
      message.applicationProperties = fieldsMap.read(reader) ?? NO_FIELDS;
      return;
    case DESCRIPTOR.footer:
      message.footer = fieldsMap.read(reader) ?? NO_FIELDS;
      return;
    default:
      message.body = readBody(code, reader, message.body, typed);
  }
}

const NO_FIELDS: Fields = new Map();

function readBody(code: number, reader: Reader, before: Body | undefined, typed: boolean): Body {
  switch (code) {
    case DESCRIPTOR.data: {
      const parts = before?.type === "data" ? before.parts : [];
      return { type: "data", parts: [...parts, reader.binary() ?? new Uint8Array(0)] };
    }
    case DESCRIPTOR.amqpSequence: {
      const parts = before?.type === "sequence" ? before.parts : [];
      const list = readValue(reader, typed);
      if (!Array.isArray(list)) throw decodeFailure("Cannot read a message: its sequence is no list");
      return { type: "sequence", parts: [...parts, list] };
    }
    case DESCRIPTOR.amqpValue:
      return { type: "value", value: readValue(reader, typed) };
    default:
      throw decodeFailure("Cannot read a message: a section is unknown");
  }
}

function writeFields(writer: Writer, descriptor: number, fields: Fields | undefined): void {
  if (fields === undefined) return;
  writer.descriptor(descriptor);
  fieldsMap.write(writer, fields);
}

function writeBody(writer: Writer, body: Body): void {
  switch (body.type) {
    case "data":
      for (const part of body.parts) {
        writer.descriptor(DESCRIPTOR.data);
        writer.binary(part);
      }
      return;
    case "sequence":
      for (const part of body.parts) {
        writer.descriptor(DESCRIPTOR.amqpSequence);
        if (part.length === 0) writer.byte(CODE.list0);
        else writeValue(writer, part);
      }
      return;
    case "value":
      writer.descriptor(DESCRIPTOR.amqpValue);
      return writeValue(writer, body.value);
  }
}
