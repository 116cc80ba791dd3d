import type { Catalog } from "@datawire/catalog";
import { Resume } from "./resume.ts";
import type { Have, DeltaLog } from "./delta-log.ts";
import type { Snapshots } from "./snapshots.ts";

/** What a subscriber reads from: the revisions, and the whole for those that are too far behind. */
export interface Source {
  readonly log: DeltaLog;
  readonly snapshots: Snapshots;
  readonly table: Catalog;
  /** Whether instances may still be missing from the table. */
  readonly warming: boolean;
}

/**
 * Where one subscriber is in the table's revisions, and which frame it gets next. A subscriber is asked for no more
 * than it takes: one that is slow falls behind, and one that falls behind what is kept gets a snapshot instead.
 */
export class Stream {
  readonly #source: Source;
  readonly #resume: Resume;
  #revision: number;

  /**
   * @param have the table that the subscriber already holds. Its position may be of another life of the directory, of
   * another directory on the same store, or long forgotten: then what the table looks like tells what it lacks.
   */
  constructor(source: Source, have: Have | null, nowMs: number) {
    this.#source = source;
    this.#resume = new Resume(source, { owesWarm: true });
    const { log, table } = source;
    const revision = have && revisionOf(have, source);
    if (have === null || revision === null) {
      this.#revision = this.#beginSnapshot(have);
      return;
    }
    this.#revision = revision;
    const isElsewhere = have.epoch !== log.epoch || have.revision !== revision;
    const hash = isElsewhere ? have.hash : table.hash();
    if (hash !== undefined && (isElsewhere || revision === log.revision))
      this.#resume.from(log.emptyFrame({ revision, atMs: nowMs, hash }));
  }

  /** The revision that the subscriber has once everything that `next` gave has reached it. */
  get revision(): number {
    return this.#revision;
  }

  /** The next frame to send; null when the subscriber has everything. */
  next(): Uint8Array | null {
    const before = this.#resume.next();
    if (before !== null) return before;
    const { log } = this.#source;
    if (this.#revision === log.revision) return null;
    const following = log.after(this.#revision);
    if (following !== null) {
      this.#revision = following.revision;
      return following.frame;
    }
    this.#revision = this.#beginSnapshot(null);
    return this.next();
  }

  #beginSnapshot(have: Have | null): number {
    const { snapshots, warming } = this.#source;
    const { revision, frames } = snapshots.lacking(have, { warming }) ?? snapshots.get({ warming });
    this.#resume.anew(frames);
    return revision;
  }
}

/** The revision of which a subscriber has the table; null where that is not known, or not all that came after it. */
function revisionOf(have: Have, { log, table }: Pick<Source, "log" | "table">): number | null {
  if (log.covers(have)) return have.revision;
  if (have.hash === undefined) return null;
  return have.hash === table.hash() ? log.revision : log.revisionOf(have.hash);
}
