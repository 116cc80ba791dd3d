import type { StoredRegistration } from "../core/records.ts";

/** A record as a store holds it. Versions only grow, and no two states of one record have the same. */
export interface VersionedRecord {
  readonly key: string;
  /** JSON; null for a record that is gone. */
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
}

/** What changed of the registrations since they were last saved. */
export interface RegistrationChanges {
  readonly stored: readonly StoredRegistration[];
  /** Keys `SERVICE@INSTANCE`. */
  readonly gone: readonly string[];
}

/**
 * Where a directory keeps what outlives it. Several directories may share one store: records are written by
 * compare-and-swap, and each learns from `follow` what the others wrote.
 */
export interface Store {
  readonly kind: "embedded" | "etcd";
  load(): Promise<StoreContent>;
  /**
   * Writes all records or none. Once it resolves they survive the loss of the process and of power.
   * @returns the version that all of them now have.
   * @throws StoreError `conflict` when one is not at its expected version, `unavailable` when nothing can be written now.
   */
  commit(writes: readonly RecordWrite[]): Promise<number>;
  /** Saves registrations, soon but not at once: what is lost with the process, its Watsons state again. */
  saveRegistrations(changes: RegistrationChanges): Promise<void>;
  /** Calls `listener` with what others have written, in its order. A store of one directory alone never does. */
  follow(listener: (records: readonly VersionedRecord[]) => void): void;
  /** Writes a copy of the whole store that a directory can start from. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

export type StoreErrorCode = "conflict" | "unavailable" | "damaged" | "in_use";

/** What a store cannot do, in words for its operator. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}
