import { decodeFailure } from "./conditions.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Up to here characters one by one are faster than the call of a decoder. */
const SHORT_MAX = 24;

/** The text of UTF-8; throws `WireFailure` where it is none. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_MAX) {
    let text = "";
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    throw decodeFailure("Cannot read a string: it is not UTF-8");
  }
}

/** The text of ASCII, as symbols have it; throws `WireFailure` where it is none. */
export function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] ?? 0) > 0x7f) throw decodeFailure("Cannot read a symbol: it is not ASCII");
  }
  return decodeUtf8(bytes, start, end);
}

/** UTF-8 of a text; half of a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
