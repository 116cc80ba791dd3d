/**
 * Escapes text from outside for the places of an HAProxy configuration where it may appear. Each function is named for
 * the place; a value in a place within another (a path inside a quoted log-format) goes through both functions, the
 * inner one first.
 */

/** One word of a configuration line, taken literally: single quotes stop `#`, `\`, `$`, `"` and blanks (manual, 2.2). */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Literal text inside a log-format: `set-path`, `set-header`, `lf-string`, replacements. */
export function escapeLogFormat(text: string): string {
  return text.replaceAll("%", "%%");
}

/** Literal text inside a regular expression (PCRE2): every byte that is not plainly itself becomes `\xHH`. */
export function escapeRegex(text: string): string {
  return text.replace(
    /[^A-Za-z0-9/_-]/g,
    (character) => String.raw`\x` + character.charCodeAt(0).toString(16).padStart(2, "0"),
  );
}

/**
 * Literal text as an argument of a sample fetch or converter, between its parentheses: in double quotes where it has
 * special characters; the word as a whole is quoted in addition. Backslashes would not work, as HAProxy keeps them
 * before most characters.
 */
export function escapeArgument(text: string): string {
  return /^[A-Za-z0-9._:/|=-]*$/.test(text) ? text : `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
}

/** Any text as part of the key of a map, written as the hex converter writes it, as a key ends at the first blank. */
export function hexKey(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

/** One word of a command on the runtime socket (management guide, 9.3: blanks, semicolons and backslashes are escaped). */
export function commandWord(text: string): string {
  return text.replace(/[\\; ]/g, String.raw`\$&`);
}

/** Text for people that may hold anything, as one line that is safe in maps, commands, JSON and HTML alike. */
export function plainText(text: string, lengthMax = 300): string {
  const plain = text.replace(/[^A-Za-z0-9 .,:()/_@-]+/g, " ").replace(/ +/g, " ");
  return plain.trim().slice(0, lengthMax);
}

/** Any text as one line that is safe in maps, commands and headers. */
export function headerText(text: string, lengthMax = 300): string {
  return text
    .replace(/[^A-Za-z0-9 .,:;()/_@%=+*?&~!-]/g, "?")
    .slice(0, lengthMax)
    .trim();
}
