import type { Disk } from "../disk/disk.ts";
import type { MessageRecord } from "./record.ts";

/** Bounds of a log. */
export interface LogConfig {
  /** A segment that has reached this size is followed by a new one; default 64 MiB. */
  readonly segmentBytes?: number;
  /** How much of what was just written stays in memory; default 8 MiB. What `peek` gives is good until the next block is begun. */
  readonly cacheBytes?: number;
  /** Room that is kept for the moment at which the disk is full; default 0. */
  readonly reserveBytes?: number;
  /** Pause before a write that failed is tried again; default 1 s. */
  readonly retryMs?: number;
}

/** What a log works with. */
export interface LogDeps {
  readonly disk: Disk;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A whole number from 0 to 2^32 - 1. */
  readonly random32: () => number;
  /**
   * The records with which a new segment begins: all state but the messages, so that earlier records are not needed for
   * it.
   */
  readonly snapshot: () => readonly Buffer[];
  /** Offers a message that keeps an old segment alive; whoever still needs it appends it anew. */
  readonly relocate: (record: MessageRecord, place: Place) => void;
  /** Why nothing can be written now; null when it can again. */
  readonly onTrouble: (error: unknown) => void;
  /** Why an old segment could not be removed or emptied; it is tried again later. */
  readonly onHousekeepingFailure: (error: unknown) => void;
}

/** Where a message is. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}
