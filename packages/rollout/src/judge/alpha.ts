import type { Limit } from "../checks/check.ts";

/** The chance to be wrong that each of the two sequences of a check may have; together it is what the confidence leaves. */
export interface Alphas {
  readonly target: number;
  readonly primary: number;
}

/**
 * Where two sequences are compared, what the target's has of it. The primary mostly has many times the requests, so that
 * it needs few more for what it lacks, while each of the target's is a request of a version that may be bad.
 */
const TARGET_PART = 0.9;

/** Divides what the confidence leaves: all of it is the target's where its limit is fixed. */
export function alphasOf(limit: Limit, confidence: number): Alphas {
  const alpha = 1 - confidence;
  return limit.kind === "fixed"
    ? { target: alpha, primary: 0 }
    : { target: alpha * TARGET_PART, primary: alpha * (1 - TARGET_PART) };
}
