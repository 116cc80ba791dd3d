import type { Table } from "@datawire/protocol";
import type { Have, RevisionLog } from "./revisions.ts";
import type { Snapshots } from "./snapshots.ts";

/** What a subscriber reads from: the revisions, and the whole for those that are too far behind. */
export interface Source {
  readonly log: RevisionLog;
  readonly snapshots: Snapshots;
  readonly table: Table;
  /** Whether instances may still be missing from the table. */
  readonly warming: boolean;
}

const WARM = new TextEncoder().encode(JSON.stringify({ type: "warm" }));

/**
 * Where one subscriber is in the table's revisions, and which frame it gets next. A subscriber is asked for no more
 * than it takes: one that is slow falls behind, and one that falls behind what is kept gets a snapshot instead.
 */
export class Feed {
  readonly #source: Source;
  /** The rest of a snapshot that is being sent. */
  #frames: Uint8Array[] = [];
  #revision: number;
  /** Whether the subscriber still has to be told that the warm-up is over. */
  #owesWarm = true;

  /**
   * @param have the table that the subscriber already holds. It may be this one although its position is of another
   * life of the directory, or long forgotten: the hash tells.
   */
  constructor(source: Source, have: Have | null, nowMs: number) {
    this.#source = source;
    const { log, table } = source;
    if (have !== null && log.covers(have)) this.#revision = have.revision;
    else if (have !== null && have.hash === table.hash()) this.#revision = log.revision;
    else this.#revision = this.#beginSnapshot();
    if (this.#frames.length === 0 && this.#revision === log.revision)
      this.#frames.push(log.emptyFrame({ atMs: nowMs, hash: table.hash() }));
  }

  /** The revision that the subscriber has once everything that `next` gave has reached it. */
  get revision(): number {
    return this.#revision;
  }

  /** The next frame to send; null when the subscriber has everything. */
  next(): Uint8Array | null {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    if (this.#owesWarm && !this.#source.warming) {
      this.#owesWarm = false;
      return WARM;
    }
    const { log } = this.#source;
    if (this.#revision === log.revision) return null;
    const following = log.after(this.#revision);
    if (following !== null) {
      this.#revision = following.revision;
      return following.frame;
    }
    this.#revision = this.#beginSnapshot();
    return this.next();
  }

  #beginSnapshot(): number {
    const { snapshots, warming } = this.#source;
    const { revision, frames } = snapshots.get({ warming });
    this.#frames = [...frames];
    this.#owesWarm = warming;
    return revision;
  }
}
