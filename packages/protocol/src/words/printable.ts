/**
 * What a terminal might obey instead of show, or show as nothing: controls (C0, DEL, C1), marks that turn the direction of
 * text or hide in it, ends of lines and paragraphs, tag characters, and letters that fill room and have no ink. Names are
 * checked where they are made, but reasons, tags and versions of programs come from anywhere.
 */
const DANGEROUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034F\u115F\u1160\u3164\uFFA0\u{E0000}-\u{E0FFF}]/gu;

/** Text from elsewhere, with anything that a terminal might obey or hide written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(DANGEROUS, escape);
}

/** JSON that is safe on a terminal too; it parses to the same value. */
export function printableJson(value: unknown, indent?: number): string {
  return printableDocument(JSON.stringify(value, null, indent));
}

/** Makes JSON that is written already safe on a terminal; it parses to the same value. */
export function printableDocument(json: string): string {
  // Of the dangerous characters, JSON outside of strings has line breaks alone; within strings they are escaped already.
  return json.replace(DANGEROUS, (character) => (character === "\n" ? character : escape(character)));
}

/** By UTF-16 units, as JSON has no other way to write what is beyond U+FFFF. */
function escape(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
