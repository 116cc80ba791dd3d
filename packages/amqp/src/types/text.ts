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
  const known = knownName(bytes, start, end);
  if (known !== null) return known;
  for (let at = start; at < end; at++) {
    if ((bytes[at] ?? 0) > 0x7f) throw decodeFailure("Cannot read a symbol: it is not ASCII");
  }
  return keepName(bytes, start, end);
}

/** The same as `decodeUtf8`, faster for what comes again and again: keys and addresses. */
export function decodeName(bytes: Uint8Array, start: number, end: number): string {
  return knownName(bytes, start, end) ?? keepName(bytes, start, end);
}

/** UTF-8 of a text; half of a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Names that came lately, by a hash of their bytes, the last of each: 32 kB at the most. All are ASCII, a byte a character. */
const names: string[] = Array.from({ length: 512 }, () => "");
const NAME_MAX = 64;

function knownName(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start > NAME_MAX) return null;
  const known = names[slotOf(bytes, start, end)] ?? "";
  if (known.length !== end - start) return null;
  for (let i = 0; i < known.length; i++) if (known.charCodeAt(i) !== bytes[start + i]) return null;
  return known;
}

function keepName(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeUtf8(bytes, start, end);
  // What has another character has more bytes than the text is long.
  if (text.length === end - start && text.length <= NAME_MAX) names[slotOf(bytes, start, end)] = text;
  return text;
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
  return (hash ^ (hash >>> 16)) & (names.length - 1);
}
