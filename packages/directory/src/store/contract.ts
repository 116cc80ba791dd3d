import type { StoredRegistration } from "../model/records.ts";
import type { RegistrationChanges } from "../registry/dirty-set.ts";
import type { SharedStore } from "./shared.ts";

/** A record as a store holds it. Versions only grow, and no two states of one record have the same. */
export interface VersionedRecord {
  readonly key: string;
  /** JSON; null for a record that is gone, and the text where it is none. */
  readonly value: unknown;
  readonly version: number;
}

/** A record to be written, on the condition that nobody has written it since. */
export interface RecordWrite {
  readonly key: string;
  /** JSON; null removes the record. */
  readonly value: unknown;
  /** The version that the writer knows; 0 where it knows of none. */
  readonly expected: number;
}

/** What a store holds when a directory starts. */
export interface StoreContent {
  readonly records: readonly VersionedRecord[];
  /** The last known registrations; they may be a second old. */
  readonly registrations: readonly StoredRegistration[];
  /** What else is there, and cannot be read. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** Something in a store that no version of this directory wrote, or a newer one. */
export interface UnreadableEntry {
  readonly key: string;
  readonly reason: string;
}

/**
 * Where a directory keeps what outlives it. Several directories may share one store: records are written by
 * compare-and-swap, and each learns from `follow` what the others wrote.
 */
export interface Store {
  readonly kind: "embedded" | "etcd";
  /** Why nothing can be written now, although the process is well; null when all is. */
  readonly outage: Outage | null;
  /** The most records that one commit takes. */
  readonly writesMax: number;
  /** What the directories on one store tell each other; null for the store of one directory alone. */
  readonly shared: SharedStore | null;
  load(): Promise<StoreContent>;
  /**
   * Writes all records or none. Once it resolves they survive the loss of the process and of power.
   * @returns the version that all of them now have.
   * @throws StoreError `conflict` when one is not at its expected version, and `follow` has told what it is by then;
   * `unavailable` when nothing can be written now; `uncertain`.
   */
  commit(writes: readonly RecordWrite[]): Promise<number>;
  /**
   * Saves registrations; what was not saved is lost with the process, and its Watsons state it again. Also tries whether
   * an outage is over.
   * @throws StoreError `unavailable` when some may not have been saved; saving them all again is no harm.
   */
  saveRegistrations(changes: RegistrationChanges): Promise<void>;
  /**
   * Calls `listener` with what others have written, in its order; a write of one's own may come too, while it is being
   * answered. A store of one directory alone never calls it.
   */
  follow(listener: (records: readonly VersionedRecord[]) => void): void;
  close(): Promise<void>;
}

/** The store is out of reach, or cannot be written: it is served from memory and cannot be changed. */
export interface Outage {
  readonly sinceMs: number;
  readonly reason: string;
}

/** `uncertain` is a write of which nobody knows whether it was made; where it was, `follow` tells. */
export type StoreErrorCode = "conflict" | "unavailable" | "uncertain" | "damaged" | "in_use";

/** What a store cannot do, in words for its operator. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}
