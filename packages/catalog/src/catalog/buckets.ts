import { BUCKET_DIGITS, BUCKETS_MAX } from "@datawire/protocol";

/**
 * A table is divided into buckets by the hashes of its entities' keys. Two tables that are much alike then tell by one
 * number for each bucket where they differ, whatever has made them so and however long ago they were the same.
 */

/** A bucket that differs is sent as a whole: few entities, while a number for each stays small beside the table. */
const ENTITIES_A_BUCKET = 32;

/** Some of the buckets that a table is divided into. */
export interface Buckets {
  /** How many there are. */
  readonly of: number;
  readonly these: readonly number[];
}

/** How many buckets suit a table of so many entities. */
export function bucketsFor(entities: number): number {
  let count = 1;
  while (count < BUCKETS_MAX && count * ENTITIES_A_BUCKET < entities) count *= 2;
  return count;
}

/** How many buckets a text is of; null where it is none of ours. */
export function countBuckets(text: string): number | null {
  const count = text.length / BUCKET_DIGITS;
  return Number.isInteger(count) && count > 0 && BUCKETS_MAX % count === 0 ? count : null;
}

/** The buckets in which two tables differ, both told by as many. */
export function differingBuckets(a: string, b: string): Buckets {
  const of = a.length / BUCKET_DIGITS;
  const at = (text: string, i: number): string => text.slice(i * BUCKET_DIGITS, (i + 1) * BUCKET_DIGITS);
  return { of, these: [...Array(of).keys()].filter((i) => at(a, i) !== at(b, i)) };
}
