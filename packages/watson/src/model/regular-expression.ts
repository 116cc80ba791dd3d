/** Syntax of other dialects that JavaScript lacks, each with its equivalent. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/\(\?[a-z]+\)/, "JavaScript takes no flags within it; for capitals and small letters alike, as in [Oo][Kk]"],
  [/\(\?P[<=>]/, "JavaScript writes named groups as (?<name>…)"],
  [/\\[AzZ]/, "JavaScript writes ^ and $ for \\A and \\z"],
  [/\[\[:\w+:\]\]/, "JavaScript has no [[:class:]]; for instance \\d, \\s or \\w"],
  [/[*+?}]\+/, "JavaScript has no possessive quantifiers"],
  [/\(\?>/, "JavaScript has no atomic groups"],
];

/**
 * Reads the regular expression that a body is compared with.
 * @throws Error that says why it is none, and what would be.
 */
export function parseRegularExpression(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (cause) {
    const reason = reasonOf(cause);
    const hint = FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
    throw new Error(hint === undefined ? reason : `${reason} (${hint})`, { cause });
  }
}

/** "Invalid regular expression: /(/u: Unterminated group" repeats what was typed. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.slice(message.lastIndexOf(": ") + 2);
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}
