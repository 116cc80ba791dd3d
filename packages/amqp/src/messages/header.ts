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

/** The fields of a header, in their order. */
export const HEADER: readonly Field[] = [
  optional("durable", boolean),
  optional("priority", ubyte),
  optional("ttl", uint),
  optional("firstAcquirer", boolean),
  optional("deliveryCount", uint),
];

/** The sections that a message begins with, as bytes: what goes before the rest of a message that is passed on. */
export function encodeHead(header: Header | null, deliveryAnnotations: Fields | null): Uint8Array {
  const writer = new Writer();
  if (header !== null) writeComposite(writer, DESCRIPTOR.header, header, HEADER);
  if (deliveryAnnotations !== null && deliveryAnnotations.size > 0) {
    writer.descriptor(DESCRIPTOR.deliveryAnnotations);
    fieldsMap.write(writer, deliveryAnnotations);
  }
  return writer.take();
}
