import { ProtocolError } from "./errors.ts";
import { quoteShort } from "./names.ts";

/**
 * Shares are counted in slots: 10,000 make the whole, so that a percentage with two decimals is a whole number of
 * them and arithmetic is exact.
 */
export const SLOTS = 10_000;

/**
 * Reads `10%`, `10`, `0.25%` or a number and returns slots (`10%` → 1000).
 * @throws ProtocolError `invalid_argument` when it is no number, outside 0 to 100, or has more than two decimals.
 */
export function parsePercent(input: string | number): number {
  const text = String(input).trim();
  const match = /^(\d{1,3})(?:\.(\d+))?\s*%?$/.exec(text);
  if (match === null) throw invalid(text, "wanted 0% to 100% with at most two decimals");
  const decimals = (match[2] ?? "").replace(/0+$/, "");
  if (decimals.length > 2) throw invalid(text, "it has more than two decimals");
  const slots = Number(match[1]) * 100 + Number(decimals.padEnd(2, "0"));
  if (slots > SLOTS) throw invalid(text, "it is more than 100%");
  return slots;
}

/** Slots as the percent number that JSON shows: 1025 → 10.25. */
export function slotsToPercent(slots: number): number {
  return slots / 100;
}

/** Slots as text: 1025 → `10.25%`. */
export function formatPercent(slots: number): string {
  return `${slots / 100}%`;
}

function invalid(text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as a percentage: ${why}`);
}
