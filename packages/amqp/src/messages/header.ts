import { DESCRIPTOR } from "../frames/descriptors.ts";
import {
  boolean,
  type Field,
  type Fields,
  fieldsMap,
  optional,
  ubyte,
  uint,
  writeComposite,
} from "../frames/fields.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { Writer } from "../types/writer.ts";

/** How a message is to be carried: the one section that is rewritten on the way. */
export interface Header {
  /** Default false. */
  readonly durable?: boolean;
  /** 0 to 9 and above; default 4. */
  readonly priority?: number;
  /** Milliseconds; left out: for ever. */
  readonly ttl?: number;
  /** Whether nobody had it before; default false. */
  readonly firstAcquirer?: boolean;
  /** Attempts to deliver it that failed; default 0. */
  readonly deliveryCount?: number;
}

/** In their order. */
const FIELDS: readonly Field[] = [
  optional("durable", boolean),
  optional("priority", ubyte),
  optional("ttl", uint),
  optional("firstAcquirer", boolean),
  optional("deliveryCount", uint),
];

/** Reads the list of a header; fields that are null or not there are left out. Throws `WireFailure`. */
export function readHeader(reader: Reader): Header {
  reader.list();
  const { listEnd, fields } = reader;
  const header: { -readonly [K in keyof Header]: Header[K] } = {};
  const durable = fields > 0 ? reader.booleanOr(null) : null;
  if (durable !== null) header.durable = durable;
  const priority = fields > 1 ? reader.ubyteOr(ABSENT) : ABSENT;
  if (priority !== ABSENT) header.priority = priority;
  const ttl = fields > 2 ? reader.uintOr(ABSENT) : ABSENT;
  if (ttl !== ABSENT) header.ttl = ttl;
  const firstAcquirer = fields > 3 ? reader.booleanOr(null) : null;
  if (firstAcquirer !== null) header.firstAcquirer = firstAcquirer;
  const deliveryCount = fields > 4 ? reader.uintOr(ABSENT) : ABSENT;
  if (deliveryCount !== ABSENT) header.deliveryCount = deliveryCount;
  reader.endList(listEnd, Math.max(0, fields - FIELDS.length));
  return header;
}

/** Writes a header with its descriptor. */
export function writeHeader(writer: Writer, header: Header): void {
  writeComposite(writer, DESCRIPTOR.header, header, FIELDS);
}

/** The sections that a message begins with, as bytes: what goes before the rest of a message that is passed on. */
export function encodeHead(header: Header | null, deliveryAnnotations: Fields | null): Uint8Array {
  const writer = new Writer();
  if (header !== null) writeHeader(writer, header);
  if (deliveryAnnotations !== null && deliveryAnnotations.size > 0) {
    writer.descriptor(DESCRIPTOR.deliveryAnnotations);
    fieldsMap.write(writer, deliveryAnnotations);
  }
  return writer.take();
}
