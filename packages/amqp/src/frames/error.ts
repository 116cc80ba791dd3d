import { decodeFailure } from "../types/conditions.ts";
import type { Reader } from "../types/reader.ts";
import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "./descriptors.ts";
import {
  type FieldCodec,
  type Fields,
  fieldsMap,
  mandatory,
  optional,
  readComposite,
  string,
  symbolic,
  writeComposite,
} from "./fields.ts";

/** An error that a peer is told: why a link, a session or a connection ends, or a message is rejected. */
export interface AmqpError {
  /** A symbol: one of `CONDITION`, or one of a broker's own. */
  readonly condition: string;
  /** A sentence for people. */
  readonly description?: string;
  /** What belongs to the condition, such as where a redirect leads. */
  readonly info?: Fields;
}

const FIELDS = [mandatory("condition", symbolic), optional("description", string), optional("info", fieldsMap)];

/** How an error goes over the wire as a field of something else. */
export const errorField: FieldCodec<AmqpError> = {
  read(reader) {
    if (reader.nullNext()) return null;
    requireDescriptor(reader, DESCRIPTOR.error, "an error");
    return readComposite(reader, "error", FIELDS) as AmqpError;
  },
  write: (writer, value) => writeComposite(writer, DESCRIPTOR.error, value, FIELDS),
};

/** Reads a descriptor that can only be `wanted`; throws `WireFailure` otherwise. */
export function requireDescriptor(reader: Reader, wanted: number, name: string): void {
  if (reader.descriptor(DESCRIPTOR_BY_SYMBOL) !== wanted)
    throw decodeFailure(`Cannot read ${name}: it is something else`);
}
