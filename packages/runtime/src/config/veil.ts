/**
 * `{ password: ${NAME} }` is not YAML, as a brace ends a plain text within braces, but everybody writes it. While the
 * text is parsed, other characters replace these braces one by one, so that no position changes.
 */
export function veil(text: string): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, `$$${OPENING}$1${CLOSING}`);
}

const [OPENING, CLOSING] = ["\uE000", "\uE001"];

/** Whether a text has something of `veil` in it. */
export const isVeiled = (text: string): boolean => text.includes(OPENING);

/** The text as it was before `veil`. */
export function unveiled(text: string): string {
  return text.replaceAll(`$${OPENING}`, "${").replaceAll(CLOSING, "}");
}
