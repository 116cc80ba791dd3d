import type { StoredRegistration } from "../model/records.ts";
import type { RegistrationReplication } from "./replication.ts";

/** A record as a store holds it, or as it is to be written. Versions only grow, and no two states of one record have the same. */
export interface VersionedRecord {
  readonly key: string;
  /**
   * The JSON value; null for a record that is gone or is to be removed. Where a store has text that is not JSON, that
   * text.
   */
  readonly value: unknown;
  /**
   * For a record to be written, the version that the writer knows, 0 for none: the write fails if the record has
   * another one by then.
   */
  readonly version: number;
}

/** The records that a store holds when a directory starts. */
export interface RecordContent {
  readonly records: readonly VersionedRecord[];
  /** What else is there, and cannot be read. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** All that a store holds when a directory starts. */
export interface StoreContent extends RecordContent {
  /** The last known registrations; they may be a second old. */
  readonly registrations: readonly StoredRegistration[];
}

/** Something in a store that no version of this directory wrote, or a newer one. */
export interface UnreadableEntry {
  readonly key: string;
  readonly reason: string;
}

/**
 * Where a directory keeps the records that outlive it. Several directories may share one store: records are written by
 * compare-and-swap, and each learns from `follow` what the others wrote.
 */
export interface RecordStore {
  readonly kind: "embedded" | "etcd";
  /** Why nothing can be written now, although the process is well; null when all is. */
  readonly outage: Outage | null;
  /** The most records that one commit takes. */
  readonly writesMax: number;
  /** Set for the store of an environment that does not exist yet, which keeps nothing. */
  readonly isAbsent?: true;
  load(): Promise<RecordContent>;
  /**
   * Writes all records or none. Once it resolves, they survive a crash of the process and a loss of power.
   * @returns the version that all of them now have.
   * @throws StoreError `conflict` when one is not at the version that the writer knows, and `follow` has told what it
   * is by then; `unavailable` when nothing can be written now; `uncertain`.
   */
  commit(writes: readonly VersionedRecord[]): Promise<number>;
  /**
   * Calls `listener` with what others have written, in its order; a write of one's own may come too, while it is being
   * answered. A store of one directory alone never calls it.
   */
  follow(listener: (records: readonly VersionedRecord[]) => void): void;
}

/** A whole store, as one is opened: the records, and the registrations beside them. */
export interface Store extends RecordStore {
  /** How registrations outlive this directory, and reach others on the same store. */
  readonly replication: RegistrationReplication;
  load(): Promise<StoreContent>;
  close(): Promise<void>;
}

/** The store is out of reach, or cannot be written: it is served from memory and cannot be changed. */
export interface Outage {
  readonly sinceMs: number;
  readonly reason: string;
}

/** `uncertain` means that the write may or may not have been made; where it was, `follow` tells. */
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

/**
 * The change would be the first of an environment that does not exist yet: whoever catches this makes the environment,
 * and repeats the change there.
 */
export class NotThereError extends Error {
  constructor() {
    super("Cannot keep a change of what is not there");
    this.name = "NotThereError";
  }
}
