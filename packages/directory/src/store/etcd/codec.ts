/** The gateway writes keys and values in base64, and 64-bit numbers as text. */

/** A text as the gateway takes it: base64 of its UTF-8. */
export const encodeText = (text: string): string => Buffer.from(text, "utf8").toString("base64");
/** A text as the gateway gives it. */
export const decodeText = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** The end of the range of all keys that begin with `prefix`, which must end with a letter below the last of ASCII. */
export function rangeEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
