import { parseTimeLimit, ProtocolError, quoteShort } from "@datawire/protocol";
import type { CountedCheck, Limit } from "./check.ts";

/** What a check has to look like, for messages. */
export const CHECK_RULE =
  "error-rate or p50 to p99.9, then <=, then a limit such as 1%, 300ms, primary + 0.5% or primary * 1.2";

/** What is judged where no check is given. */
export const DEFAULT_CHECK = "error-rate <= primary + 1%";

const CHECK = /^(error-rate|p\d{1,2}(?:\.\d{1,3})?)\s*<=\s*(\S.*)$/;
const PRIMARY = /^primary(?:\s*([+*])\s*(\S+))?$/;
const FACTOR = /^\d+(?:\.\d+)?$/;
const PERCENT = /^(\d+(?:\.\d+)?)\s*%$/;
const FACTOR_MAX = 1_000;

/**
 * Reads a check of what Sherlocks and libraries count.
 * @throws ProtocolError `invalid_argument` that quotes the text and says what was wanted.
 */
export function parseCheck(input: string): CountedCheck {
  const text = input.trim();
  const [, measure, limitText] = CHECK.exec(text) ?? [];
  if (measure === undefined || limitText === undefined) throw invalid(text, `wanted ${CHECK_RULE}`);
  if (measure === "error-rate") {
    const limit = parseLimit(text, limitText, (value) => parseShare(text, value));
    return { kind: "error-rate", name: nameOf(measure, limitText), limit };
  }
  const percent = Number(measure.slice(1));
  if (percent <= 0 || percent >= 100) throw invalid(text, "a percentile is above 0 and below 100");
  // 1 - 0.99 is a little more than 0.01.
  const share = Math.round((100 - percent) * 1_000) / 100_000;
  const limit = parseLimit(text, limitText, (value) => parseMs(text, value));
  return { kind: "latency", name: nameOf(measure, limitText), share, limit };
}

/** As it was typed, with single spaces. */
const nameOf = (measure: string, limit: string): string => `${measure} <= ${limit.replaceAll(/\s+/g, " ")}`;

function parseLimit(check: string, text: string, parseValue: (text: string) => number): Limit {
  const relative = PRIMARY.exec(text);
  if (relative === null) {
    const value = parseValue(text);
    if (value === 0) throw invalid(check, "nothing can show that a limit of 0 is kept");
    return { kind: "fixed", value };
  }
  const [, sign, operand = ""] = relative;
  if (sign === undefined) return { kind: "primary", factor: 1, margin: 0 };
  if (sign === "+") return { kind: "primary", factor: 1, margin: parseValue(operand) };
  const factor = FACTOR.test(operand) ? Number(operand) : Number.NaN;
  if (!(factor >= 1 && factor <= FACTOR_MAX)) throw invalid(check, `a factor is 1 to ${FACTOR_MAX}`);
  return { kind: "primary", factor, margin: 0 };
}

function parseShare(check: string, text: string): number {
  const percent = Number(PERCENT.exec(text)?.[1] ?? Number.NaN);
  if (!(percent >= 0 && percent < 100))
    throw invalid(check, "wanted a share of errors in percent, below 100%, such as 0.5%");
  return percent / 100;
}

function parseMs(check: string, text: string): number {
  if (!/[a-z]$/.test(text)) throw invalid(check, "a duration has a unit, such as 300ms");
  try {
    return parseTimeLimit(text);
  } catch (cause) {
    throw invalid(check, cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as a check: ${why}`);
}
