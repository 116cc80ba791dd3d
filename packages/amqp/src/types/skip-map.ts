import { CODE } from "./codes.ts";
import { decodeFailure } from "./conditions.ts";
import type { Reader } from "./reader.ts";
import { skipValue } from "./skip-value.ts";

/** The pairs of a map that is being read. */
export interface MapPairs {
  /** How many keys and values there are. */
  readonly count: number;
  readonly end: number;
}

/** Begins a map, or null, which has no pairs. Throws `WireFailure` where it is something else. */
export function beginMap(reader: Reader): MapPairs {
  if (reader.nullNext()) return { count: 0, end: reader.at };
  const code = reader.byte();
  if (code !== CODE.map8 && code !== CODE.map32) throw decodeFailure("Cannot read a map: it is none");
  const size = code === CODE.map8 ? reader.byte() : reader.uint32();
  reader.need(size);
  const end = reader.at + size;
  const count = code === CODE.map8 ? reader.byte() : reader.uint32();
  if (count % 2 !== 0 || reader.at > end || count > end - reader.at) {
    throw decodeFailure(`Cannot read a map of ${count} keys and values: there are ${end - reader.at} bytes`);
  }
  return { count, end };
}

/** Ends a map of which all pairs were read. */
export function endMap(reader: Reader, { end }: MapPairs): void {
  if (reader.at !== end) throw decodeFailure("Cannot read a map: its size is not that of its pairs");
}

/** Goes beyond a map, or null, of which each key and value is there as a whole. */
export function skipMap(reader: Reader): void {
  const pairs = beginMap(reader);
  for (let i = 0; i < pairs.count; i++) skipValue(reader);
  endMap(reader, pairs);
}
