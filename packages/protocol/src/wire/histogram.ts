/**
 * How many requests took how long: the first millisecond of a bucket and how many fell into it, one after the other,
 * with the buckets ascending and the empty ones left out. `[0, 12, 3, 1]` is 12 requests of less than a millisecond and
 * one of three. A flat list is small in JSON and in memory alike, and two of them add up exactly, wherever they come from.
 */
export type Histogram = readonly number[];

/** Below, each millisecond has a bucket: HAProxy tells no less. */
const EXACT_MS = 16;
/** Buckets for each doubling from there on; the middle of one is off by a sixteenth at most. */
const STEPS = 8;
/** Everything longer, which is over an hour, is one bucket. */
const LONGEST_MS = 2 ** 22;

/** The first millisecond of the bucket that a duration falls into. */
export function bucketOf(ms: number): number {
  const whole = Math.min(Math.max(0, Math.floor(ms)), LONGEST_MS);
  const width = widthOf(whole);
  return whole - (whole % width);
}

/** Makes a histogram of buckets and their counts in any order; what is in finer buckets than ours goes into ours. */
export function toHistogram(counts: Iterable<readonly [ms: number, count: number]>): Histogram {
  const sums = new Map<number, number>();
  for (const [ms, count] of counts) {
    const bucket = bucketOf(ms);
    sums.set(bucket, (sums.get(bucket) ?? 0) + count);
  }
  return [...sums].toSorted(([a], [b]) => a - b).flat();
}

/** The buckets with their counts, ascending. */
export function* bucketsOf(histogram: Histogram): Generator<readonly [ms: number, count: number]> {
  for (let i = 0; i + 1 < histogram.length; i += 2) yield [histogram[i] as number, histogram[i + 1] as number];
}

/** All requests of both. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return toHistogram([...bucketsOf(a), ...bucketsOf(b)]);
}

/** How many values a histogram has counted. */
export function countOf(histogram: Histogram): number {
  let total = 0;
  for (const [, count] of bucketsOf(histogram)) total += count;
  return total;
}

/**
 * How long the fastest requests took at the most, as many as `share` says (0.99 for the 99th percentile): in whole
 * milliseconds rounded down below 16, from there on within a sixteenth. Null without any request.
 */
export function quantileOf(histogram: Histogram, share: number): number | null {
  // The share of a sum may come out a little above the whole number that it is.
  let left = Math.max(1, Math.ceil(share * countOf(histogram) - 1e-9));
  for (const [ms, count] of bucketsOf(histogram)) {
    left -= count;
    if (left <= 0) return middleOf(ms);
  }
  return null;
}

/** What stands for all durations of a bucket. */
export function middleOf(bucketMs: number): number {
  return bucketMs + (widthOf(bucketMs) - 1) / 2;
}

/** The last millisecond of a bucket that begins with `bucketMs`. */
export function bucketEnd(bucketMs: number): number {
  return bucketMs + widthOf(bucketMs) - 1;
}

/** From 16 to 31 ms a bucket has 2 ms, from 32 to 63 it has 4, and so on. */
function widthOf(ms: number): number {
  return ms < EXACT_MS ? 1 : 2 ** (31 - Math.clz32(ms)) / STEPS;
}
