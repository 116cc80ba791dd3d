/**
 * What a terminal might obey instead of show: controls (C0, DEL, C1), and marks that turn the direction of text or hide
 * in it. Names are checked where they are made, but reasons, tags and versions of programs come from anywhere.
 */
const DANGEROUS = /[\p{Cc}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu;

/** Text from elsewhere, with anything that a terminal might obey written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(DANGEROUS, escape);
}

/** JSON that is safe on a terminal too; it parses to the same value. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  // Outside of strings JSON has line breaks and nothing else of these; inside, JSON.stringify has escaped them.
  return text.replace(DANGEROUS, (character) => (character === "\n" ? character : escape(character)));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
