/**
 * How many requests took how long: the first millisecond of a bucket and how many fell into it, one after the other,
 * with the buckets ascending and the empty ones left out. `[0, 12, 3, 1]` is 12 requests of less than a millisecond and
 * one of three. A flat list is small in JSON and in memory alike, and two of them add up exactly, wherever they come from.
 */
export type Histogram = readonly number[];

/** Below this, each millisecond has a bucket of its own: HAProxy measures no finer. */
const EXACT_MS = 16;
/** The number of buckets for each doubling above that: the middle of a bucket is off by a sixteenth at most. */
const STEPS = 8;
/** Everything that took longer, over an hour, is in one bucket. */
const LONGEST_MS = 2 ** 22;

/** The first millisecond of the bucket that a duration falls into. */
export function bucketOf(ms: number): number {
  const whole = Math.min(Math.max(0, Math.floor(ms)), LONGEST_MS);
  const width = widthOf(whole);
  return whole - (whole % width);
}

/** Makes a histogram from buckets and their counts, in any order; finer buckets than ours are merged into ours. */
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

/** The histogram of the requests of both. */
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
 * The quantile of the durations (`share` is 0.99 for the 99th percentile): below 16 ms in whole milliseconds, rounded
 * down; above that within a sixteenth. Null without any request.
 */
export function quantileOf(histogram: Histogram, share: number): number | null {
  // By rounding, the product may be a little above the whole number that it should be.
  let left = Math.max(1, Math.ceil(share * countOf(histogram) - 1e-9));
  for (const [ms, count] of bucketsOf(histogram)) {
    left -= count;
    if (left <= 0) return middleOf(ms);
  }
  return null;
}

/** The duration that stands for all durations of a bucket. */
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
