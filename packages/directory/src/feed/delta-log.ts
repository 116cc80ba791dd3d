import type { TableChange } from "@datawire/protocol";

/** One revision, as it is sent to every subscriber. */
export interface Revision {
  readonly from: number;
  readonly revision: number;
  readonly change: TableChange;
  /** When the oldest change in it happened. */
  readonly atMs: number;
  /** Of the table that it leads to; left out where it is a part of a larger change. */
  readonly hash: string | undefined;
  /** The `delta` message, serialised once for all. */
  readonly frame: Uint8Array;
  /** How many bytes all earlier frames together have. */
  readonly offset: number;
}

/** Where a subscriber stands. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** What a subscriber says it has. */
export interface Have extends Position {
  /** Of the table that it has. */
  readonly hash?: string | undefined;
  /** The digests of what it has in each bucket of the table, under the name that the wire has for them. */
  readonly sectors?: string | undefined;
}

/** How much of the past is kept for subscribers that return. */
export interface DeltaLogLimits {
  /** How many of the last revisions are kept for subscribers that return. */
  readonly revisionsMax: number;
  readonly bytesMax: number;
}

/** 20,000 changes, or 64 MB of them: minutes of heavy churn, days of a calm system. */
const DELTA_LOG_LIMITS: DeltaLogLimits = { revisionsMax: 20_000, bytesMax: 64 * 1024 * 1024 };

const encoder = new TextEncoder();

/** The revisions of a table, of which the last ones are kept so that a subscriber that returns gets only what it missed. */
export class DeltaLog {
  readonly epoch: string;
  readonly #limits: DeltaLogLimits;
  /** By revision; consecutive, so that the oldest is found by counting. */
  readonly #kept = new Map<number, Revision>();
  /** By the hash of the table there: a subscriber from another life of the directory, or from another one, may have it. */
  readonly #byHash = new Map<string, number>();
  #oldest = 1;
  #bytes = 0;
  /** Of all frames ever made, those that are forgotten included. */
  #bytesEver = 0;
  #revision = 0;

  /** @param epoch names this life of the table: revisions of another epoch say nothing about this one. */
  constructor(epoch: string, limits: DeltaLogLimits = DELTA_LOG_LIMITS) {
    this.epoch = epoch;
    this.#limits = limits;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Says which table the log begins with. */
  begin(hash: string): void {
    this.#byHash.set(hash, this.#revision);
  }

  /** Makes the next revision of a change that happened at `atMs` and led to a table of that hash. */
  append(change: TableChange, { atMs, hash }: Pick<Revision, "atMs"> & Partial<Pick<Revision, "hash">>): Revision {
    const from = this.#revision;
    const revision = from + 1;
    const frame = this.#frame({ from, revision, atMs, change, hash });
    const made: Revision = { from, revision, change, atMs, hash, frame, offset: this.#bytesEver };
    this.#revision = revision;
    this.#kept.set(revision, made);
    if (hash !== undefined) this.#byHash.set(hash, revision);
    this.#bytes += frame.length;
    this.#bytesEver += frame.length;
    while (this.#kept.size > this.#limits.revisionsMax || (this.#bytes > this.#limits.bytesMax && this.#kept.size > 1))
      this.#forgetOldest();
    return made;
  }

  /** The revision that follows `revision`; null when there is none yet, or when it is no longer kept. */
  after(revision: number): Revision | null {
    return this.#kept.get(revision + 1) ?? null;
  }

  /** Whether everything after a position is still kept, so that a subscriber there needs no snapshot. */
  covers({ epoch, revision }: Position): boolean {
    return epoch === this.epoch && revision <= this.#revision && revision >= this.#oldest - 1;
  }

  /** The last revision at which the table had that hash; null where none is known, or not all that came after it. */
  revisionOf(hash: string): number | null {
    const revision = this.#byHash.get(hash) ?? null;
    return revision !== null && this.covers({ epoch: this.epoch, revision }) ? revision : null;
  }

  /** How many bytes a subscriber at `revision` would be sent. */
  bytesAfter(revision: number): number {
    const next = this.after(revision);
    return next === null ? 0 : this.#bytesEver - next.offset;
  }

  /** A delta that changes nothing, and says with which hash a subscriber is at a revision. */
  emptyFrame({ revision, atMs, hash }: Pick<Revision, "revision" | "atMs"> & { readonly hash: string }): Uint8Array {
    return this.#frame({ from: revision, revision, atMs, change: {}, hash });
  }

  #frame(body: Pick<Revision, "from" | "revision" | "atMs" | "hash"> & { change: Partial<TableChange> }): Uint8Array {
    return encoder.encode(JSON.stringify({ type: "delta", epoch: this.epoch, ...body }));
  }

  #forgetOldest(): void {
    const oldest = this.#kept.get(this.#oldest);
    if (oldest !== undefined) {
      this.#bytes -= oldest.frame.length;
      if (oldest.hash !== undefined && this.#byHash.get(oldest.hash) === oldest.revision)
        this.#byHash.delete(oldest.hash);
    }
    this.#kept.delete(this.#oldest);
    this.#oldest += 1;
  }
}
