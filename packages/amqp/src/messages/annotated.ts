import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "../frames/descriptors.ts";
import type { Fields } from "../frames/fields.ts";
import { CODE } from "../types/codes.ts";
import { WireFailure } from "../types/conditions.ts";
import { readValue } from "../types/decode-value.ts";
import { writeValue } from "../types/encode-value.ts";
import { ABSENT, Reader } from "../types/reader.ts";
import { beginMap, endMap } from "../types/skip-map.ts";
import { skipValue } from "../types/skip-value.ts";
import { textOf } from "../types/values.ts";
import { Writer } from "../types/writer.ts";
import type { Sections } from "./sections.ts";

/**
 * The annotations of a message with some more, as the bytes of their section. What is there stays as it is, byte for byte,
 * but for keys that are given anew. `sections` has to have scanned the message.
 */
export function annotated(
  sections: Sections,
  section: "deliveryAnnotations" | "messageAnnotations",
  more: Fields,
): Uint8Array {
  const writer = new Writer();
  writer.descriptor(DESCRIPTOR[section]);
  const at = writer.begin32(CODE.map32);
  const start = sections.startOf(section);
  const kept = start === ABSENT ? 0 : copyPairs(new Reader(sections.bytes, start), writer, more);
  for (const [key, value] of more) {
    writer.symbol(key);
    writeValue(writer, value);
  }
  writer.end32(at, kept + more.size * 2);
  return writer.take();
}

/** Copies the pairs of a section whose keys are not among `more`, and returns how many keys and values these were. */
function copyPairs(reader: Reader, writer: Writer, more: Fields): number {
  reader.descriptor(DESCRIPTOR_BY_SYMBOL);
  const pairs = beginMap(reader);
  let kept = 0;
  for (let i = 0; i < pairs.count; i += 2) {
    const from = reader.at;
    const key = keyAt(reader);
    skipValue(reader);
    if (key !== null && more.has(key)) continue;
    writer.raw(reader.bytes.subarray(from, reader.at));
    kept += 2;
  }
  endMap(reader, pairs);
  return kept;
}

/** The text of a key; null for one that has none, which is then passed over like a value. */
function keyAt(reader: Reader): string | null {
  const from = reader.at;
  try {
    return textOf(readValue(reader));
  } catch (error) {
    if (!(error instanceof WireFailure)) throw error;
    reader.at = from;
    skipValue(reader);
    return null;
  }
}
