import { own } from "./own.ts";
import { ProtocolError } from "./errors.ts";
import { quoteShort } from "./names.ts";

/** What a duration has to look like, for messages. */
export const DURATION_RULE = "a duration such as 500ms, 3s, 2m, 1h or 1d; a bare number is seconds";

/** The longest duration that is accepted: a year. Beyond it, a value is a mistyped unit. */
export const DURATION_MAX_MS = 365 * 86_400_000;

/** The longest time limit: what a timer of Node.js and of HAProxy can count, some 24.8 days. */
export const TIME_LIMIT_MAX_MS = 2 ** 31 - 1;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;

/**
 * Reads a duration and returns whole milliseconds, rounded.
 * @throws ProtocolError `invalid_argument` when it is malformed, negative or longer than a year.
 */
export function parseDuration(input: string | number): number {
  const match = PATTERN.exec(String(input).trim());
  if (match === null) throw invalid(input);
  const ms = Math.round(Number(match[1]) * (own(UNIT_MS, match[2] ?? "s") ?? Number.NaN));
  if (ms > DURATION_MAX_MS) {
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use ${quoteShort(String(input))} as a duration: the longest is 365d`,
    );
  }
  return ms;
}

/**
 * Reads how long something may take: a duration that is neither nothing nor longer than a timer can count.
 * @throws ProtocolError `invalid_argument`
 */
export function parseTimeLimit(input: string | number): number {
  const ms = parseDuration(input);
  const refuse = (why: string): ProtocolError =>
    new ProtocolError("invalid_argument", `Cannot use ${quoteShort(String(input))} as a time limit: ${why}`);
  if (ms === 0) throw refuse("wanted more than 0s");
  if (ms > TIME_LIMIT_MAX_MS) throw refuse("the longest is 24d");
  return ms;
}

/** Writes milliseconds in the largest unit that keeps them whole: 90000 → `90s`, 120000 → `2m`. */
export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of Object.entries(UNIT_MS).toReversed()) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}

function invalid(input: string | number): ProtocolError {
  return new ProtocolError(
    "invalid_argument",
    `Cannot use ${quoteShort(String(input))} as a duration: wanted ${DURATION_RULE}`,
  );
}
