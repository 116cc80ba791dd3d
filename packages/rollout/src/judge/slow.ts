import { bucketEnd, bucketsOf, countOf, type Histogram } from "@datawire/protocol";
import { type Confidence, confidenceInterval } from "./confidence.ts";

/** How many requests were slower than a limit, and how many are in a bucket that the limit divides. */
export interface Slow {
  readonly requests: number;
  readonly slower: number;
  readonly divided: number;
}

/** Bounds of a quantile in milliseconds; `upper` is null while nothing bounds it. */
export interface QuantileInterval {
  readonly lower: number;
  readonly upper: number | null;
}

/** Counts what took longer than so many milliseconds. */
export function slowerThan(histogram: Histogram, limitMs: number): Slow {
  let [slower, divided] = [0, 0];
  for (const [ms, count] of bucketsOf(histogram)) {
    if (ms > limitMs) slower += count;
    else if (bucketEnd(ms) > limitMs) divided += count;
  }
  return { requests: countOf(histogram), slower, divided };
}

/**
 * The anytime-valid bounds of the duration that a share of requests exceeds (0.01 for the 99th percentile). That share
 * exceeds the true one by definition, so that a duration is outside once the confidence sequence of what exceeds it
 * leaves out the share. What is in one bucket counts for neither side.
 */
export function quantileInterval(histogram: Histogram, share: number, alpha: number): QuantileInterval {
  const confidence: Confidence = { limit: share, alpha };
  const requests = countOf(histogram);
  let above = requests;
  let lower = 0;
  for (const [ms, count] of bucketsOf(histogram)) {
    // All of this bucket and of those above it took at least `ms`.
    if (confidenceInterval({ requests, bad: above }, confidence).lower > share) lower = ms;
    above -= count;
    if (confidenceInterval({ requests, bad: above }, confidence).upper < share) return { lower, upper: bucketEnd(ms) };
  }
  return { lower, upper: null };
}
