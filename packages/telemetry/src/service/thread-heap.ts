import { setFlagsFromString } from "node:v8";

/**
 * Room in MiB for what the thread has just made: a batch of spans lives until it is written, and in the megabyte that a
 * directory's own heap is kept to, it is copied from place to place hundreds of times a second.
 */
const NURSERY_MIB = 8;

/**
 * Sets how the heaps of threads that start from now on are kept; that of whoever calls stays as it is, but for the second
 * part. Collecting by helpers in parallel would take both of two cores from the main thread, for each of the heaps: with
 * 10,000 spans a second they had as much of a core as a third of the thread itself.
 */
export function prepareThreadHeap(): void {
  setFlagsFromString(`--min-semi-space-size=${NURSERY_MIB}`);
  setFlagsFromString("--no-parallel-scavenge");
}
