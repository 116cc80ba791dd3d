import { LOG_LEVELS, type LogLevelWord, ProtocolError, quoteShort } from "@datawire/protocol";

/** How important a level is: 0 for the worst. */
export const rankOf = (level: LogLevelWord): number => LOG_LEVELS.indexOf(level);

/** The worse of two levels; null is none. */
export function worse(a: LogLevelWord | null, b: LogLevelWord | null): LogLevelWord | null {
  if (a === null || b === null) return a ?? b;
  return rankOf(a) <= rankOf(b) ? a : b;
}

/** Whether a level is that of a failure. */
export const isFailure = (level: LogLevelWord): boolean => rankOf(level) <= rankOf("ERROR");

/** From these severities of OTLP on (opentelemetry.io/docs/specs/otel/logs/data-model, SeverityNumber). */
const SEVERITIES: readonly [from: number, level: LogLevelWord][] = [
  [21, "CRITICAL"],
  [17, "ERROR"],
  [13, "WARN"],
  [9, "INFO"],
  [1, "DEBUG"],
];

const WORDS: readonly [pattern: RegExp, level: LogLevelWord][] = [
  [/^(crit|fatal|emerg|alert|panic)/i, "CRITICAL"],
  [/^err/i, "ERROR"],
  [/^warn/i, "WARN"],
  [/^(debug|trace|verbose)/i, "DEBUG"],
];

/** The level of a severity of OTLP: by its number, else by its text, else INFO. */
export function levelOfSeverity(number: number, text: string): LogLevelWord {
  const byNumber = SEVERITIES.find(([from]) => number >= from);
  return byNumber?.[1] ?? WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? "INFO";
}

/** @throws ProtocolError `invalid_argument` for a word that is no level; case does not matter. */
export function parseLevel(text: string): LogLevelWord {
  const word = text.toUpperCase();
  const found = LOG_LEVELS.find((level) => level === word);
  if (found !== undefined) return found;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${quoteShort(text)} as level: wanted one of ${LOG_LEVELS.join(", ")}`,
  );
}
