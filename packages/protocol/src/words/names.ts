import { ProtocolError } from "./errors.ts";
import { maskSecrets } from "./secrets.ts";

/** What a name may be, in the words of every message that refuses one (routing rules, section 1). */
export const NAME_RULE = "1 to 100 of a-z 0-9 . _ -, beginning and ending with a letter, a digit or _";

/**
 * The rule as a pattern. Names that passed it need no escaping in HAProxy identifiers, maps, file names, URLs or
 * shells, which is why nothing else may become one.
 */
export const NAME_PATTERN = /^[a-z0-9_](?:[a-z0-9._-]{0,98}[a-z0-9_])?$/;

/** What a name is of, for messages. */
export type NameKind = "environment" | "service" | "caller" | "caller or service" | "instance" | "tenant";

/** Whether a text may be the name of a service, a caller, an instance or a tenant. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/**
 * Returns `text` when it is a valid name.
 * @throws ProtocolError `invalid_argument` that quotes the value and states the rule.
 */
export function parseName(text: string, kind: NameKind): string {
  if (isName(text)) return text;
  const lower = text.toLowerCase();
  const hint = lower !== text && isName(lower) ? ` (did you mean ${JSON.stringify(lower)}?)` : "";
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${quoteShort(text)} as ${kind === "instance" || kind === "environment" ? "an" : "a"} ${kind} name: it must be ${NAME_RULE}${hint}`,
  );
}

/**
 * Quotes a value for a message and cuts a long one, so that a message stays a line whatever was typed; secrets in it are
 * masked first, as what is left of one that was cut would be known no more.
 */
export function quoteShort(value: string): string {
  const lengthMax = 120;
  const text = maskSecrets(value);
  return JSON.stringify(text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text);
}
