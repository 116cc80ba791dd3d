import type { CountedCheck } from "../checks/check.ts";
import { alphasOf } from "./alpha.ts";
import { confidenceInterval } from "./confidence.ts";

/** No check needs more: a billion requests are four months of a hundred a second. */
const REQUESTS_MAX = 1_000_000_000;

/**
 * How many requests of a target without a bad one a check needs before it passes; null where none are enough, as for
 * `primary * 1.2` of a primary without errors. Of a primary it is taken that it has none either.
 */
export function requestsNeeded(check: CountedCheck, confidence: number): number | null {
  const share = shareOf(check);
  if (share === 0) return null;
  const alpha = alphasOf(check.limit, confidence).target;
  const passes = (requests: number): boolean =>
    confidenceInterval({ requests, bad: 0 }, { limit: share, alpha }).upper < share;
  let few = 0;
  let enough = 1;
  while (!passes(enough)) {
    few = enough;
    enough *= 2;
    if (enough > REQUESTS_MAX) return null;
  }
  while (enough - few > 1) {
    const middle = Math.floor((few + enough) / 2);
    if (passes(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}

function shareOf(check: CountedCheck): number {
  if (check.kind === "latency") return check.share;
  return check.limit.kind === "fixed" ? check.limit.value : check.limit.margin;
}
