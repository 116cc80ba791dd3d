import { emptyChange, type LeftOut, type TableChange } from "@datawire/protocol";
import { type Buckets, bucketsFor, Catalog } from "@datawire/catalog";
import type { ReceivedMessage } from "./read-message.ts";
import { Kept } from "./kept.ts";
import { LeftOuts } from "./left-outs.ts";

/** A moment in the life of a directory's table. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** A position, and what the table that is there looks like. */
export interface Have extends Position {
  readonly hash: string;
  /** By bucket, for a directory that knows nothing of the position. */
  readonly sectors: string;
}

/** What a message did to the replica. */
export interface CatalogUpdate {
  /** The services whose traffic split may differ from before; empty when only the revision moved. */
  readonly services: ReadonlySet<string>;
  readonly position: Position;
  /** When the oldest change in it happened, by the directory's clock; null for a snapshot. */
  readonly atMs: number | null;
  /** Whether routes came or went: what is counted from here on goes by others. */
  readonly routes: boolean;
}

/** The messages that make and change a replica. */
export type CatalogMessage = Extract<ReceivedMessage, { type: "snapshot" | "delta" | "warm" }>;

/** What came of a message that was applied to a replica. */
export type Applied =
  | { readonly state: "updated"; readonly update: CatalogUpdate }
  /** The message was applied, and the hash of the table still differs from the directory's; `whole` after a whole table. */
  | { readonly state: "diverged"; readonly update: CatalogUpdate; readonly reason: string; readonly whole: boolean }
  /** Nothing changed: a part of a snapshot, or a `warm` without a table that warms up. */
  | { readonly state: "pending" }
  /** The delta does not start at the revision of the replica: a new snapshot is needed. */
  | { readonly state: "gap"; readonly reason: string };

type Updated = Extract<Applied, { state: "updated" }>;

/** A snapshot beyond this is no table of ours. */
const SNAPSHOT_ENTITIES_MAX = 2_000_000;

/**
 * A subscriber's replica of a directory's table. While the directory warms up, what it does not know yet is kept
 * (architecture rule 3).
 */
export class CatalogReplica {
  readonly table = new Catalog();
  #position: Position | null = null;
  #warming = false;
  /** What the replica has and a warming directory did not name: it goes when the directory is warm. */
  #kept = new Kept();
  #snapshot: Snapshot | null = null;
  readonly #leftOut = new LeftOuts();

  /** What the directory's table has, and could not be read: here, it stays as it was. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut.list();
  }

  /** Which table this is; null before the first one. */
  get position(): Position | null {
    return this.#position;
  }

  /** Whether the directory may still lack instances that live. */
  get warming(): boolean {
    return this.#warming;
  }

  /**
   * What to ask for: null for a snapshot. A replica that holds more than the directory named is no position of its
   * table, so that deltas could not mend it.
   */
  have(): Have | null {
    const position = this.resumable();
    if (position === null) return null;
    const { services, instances, tables } = this.table.size;
    // The buckets first: what makes them makes the hash.
    const sectors = this.table.buckets(bucketsFor(services + instances + tables));
    return { ...position, hash: this.table.hash(), sectors };
  }

  /** The position, unless the replica is none of the directory's. */
  resumable(): Position | null {
    return this.#warming ? null : this.#position;
  }

  /** Starts from a table that was saved; only for an empty replica. */
  restore(change: TableChange, position: Position | null, leftOut: readonly LeftOut[] = []): void {
    this.table.apply({ ...change, gone: emptyChange().gone });
    this.#leftOut.add(leftOut);
    // What could not be read has to come again.
    this.#position = leftOut.length > 0 ? null : position;
  }

  apply(message: CatalogMessage): Applied {
    switch (message.type) {
      case "snapshot":
        return this.#applyPart(message);
      case "delta":
        return this.#applyDelta(message);
      case "warm":
        return this.#applyWarm();
    }
  }

  /** The connection is gone, and with it the rest of a snapshot that was on its way. */
  disconnected(): void {
    this.#snapshot = null;
  }

  /** Makes the next `have` ask for a snapshot, because this replica cannot be continued. */
  forgetPosition(): void {
    this.#position = null;
    this.#snapshot = null;
  }

  #applyPart(part: Extract<CatalogMessage, { type: "snapshot" }>): Applied {
    if (part.part === 0) this.#snapshot = new Snapshot(part);
    if (this.#snapshot === null || !this.#snapshot.add(part)) {
      this.#snapshot = null;
      return { state: "gap", reason: `part ${part.part} of a snapshot came out of turn` };
    }
    if (this.#snapshot.size > SNAPSHOT_ENTITIES_MAX) {
      this.#snapshot = null;
      return { state: "gap", reason: `the snapshot has more than ${SNAPSHOT_ENTITIES_MAX} entities` };
    }
    if (!part.last) return { state: "pending" };
    const { content, buckets, leftOut } = this.#snapshot;
    if (buckets === null) this.#leftOut.clear();
    this.#leftOut.settle(content);
    this.#leftOut.add(leftOut);
    const change = this.#leftOut.keeping(this.table.changeTo(content, buckets));
    this.#snapshot = null;
    this.#warming = part.warming;
    this.#kept = new Kept();
    if (part.warming) {
      this.#kept.add(change.gone, this.table);
      return this.#updated({ ...change, gone: this.#kept.replacedBy(content.instances) }, part, null);
    }
    return this.#compared(this.#updated(change, part, null), { hash: part.hash, whole: buckets === null });
  }

  #applyDelta(delta: Extract<CatalogMessage, { type: "delta" }>): Applied {
    if (this.#snapshot !== null) return { state: "gap", reason: "a delta came in the middle of a snapshot" };
    if (this.#continues(delta)) return this.#updated(emptyChange(), delta, delta.atMs);
    if (this.#position?.epoch !== delta.epoch || this.#position.revision !== delta.from) {
      const own = this.#position === null ? "nothing" : `${this.#position.epoch}:${this.#position.revision}`;
      return { state: "gap", reason: `a delta from ${delta.epoch}:${delta.from} came, and the table here is ${own}` };
    }
    const { change } = delta;
    this.#kept.settle(change);
    this.#leftOut.settle(change);
    this.#leftOut.add(delta.leftOut ?? []);
    const replaced = this.#kept.replacedBy(change.instances).instances;
    const gone = { ...change.gone, instances: [...change.gone.instances, ...replaced] };
    return this.#compared(this.#updated({ ...change, gone }, delta, delta.atMs), { hash: delta.hash, whole: false });
  }

  /**
   * Whether a delta that changes nothing says of this very table that it is the directory's: after a restart of the
   * directory, or after more changes to and fro than it keeps, only the position is another one.
   */
  #continues({ epoch, from, revision, hash }: Extract<CatalogMessage, { type: "delta" }>): boolean {
    if (this.#position?.epoch === epoch && this.#position.revision === from) return false;
    return from === revision && hash !== undefined && hash === this.table.hash();
  }

  #applyWarm(): Applied {
    if (!this.#warming || this.#position === null) return { state: "pending" };
    this.#warming = false;
    const gone = this.#kept.gone();
    this.#kept = new Kept();
    return this.#updated({ ...emptyChange(), gone }, this.#position, null);
  }

  #updated(change: TableChange, { epoch, revision }: Position, atMs: number | null): Updated {
    this.#position = { epoch, revision };
    const routes = change.tables.length + change.gone.tables.length > 0;
    return { state: "updated", update: { services: this.table.apply(change), position: this.#position, atMs, routes } };
  }

  /** What is kept through a warm-up is in no table of the directory's, and what could not be read is not in this one. */
  #compared(
    updated: Updated,
    { hash, whole }: { readonly hash: string | undefined; readonly whole: boolean },
  ): Applied {
    if (hash === undefined || this.#warming || this.#leftOut.list().length > 0) return updated;
    const own = this.table.hash();
    if (own === hash) return updated;
    const { epoch, revision } = updated.update.position;
    const reason = `the table of ${epoch}:${revision} has the hash ${hash} there and ${own} here`;
    return { state: "diverged", update: updated.update, reason, whole };
  }
}

/** A snapshot on its way. */
class Snapshot {
  readonly content = emptyChange();
  /** The buckets in it; null for the whole table. */
  readonly buckets: Buckets | null;
  readonly leftOut: LeftOut[] = [];
  size = 0;
  readonly #epoch: string;
  readonly #revision: number;
  #parts = 0;

  constructor({ epoch, revision, sectors }: Extract<CatalogMessage, { type: "snapshot" }>) {
    this.#epoch = epoch;
    this.#revision = revision;
    this.buckets = sectors ?? null;
  }

  /** Adds the next part; false for any other. */
  add(part: Extract<CatalogMessage, { type: "snapshot" }>): boolean {
    if (part.part !== this.#parts || part.epoch !== this.#epoch || part.revision !== this.#revision) return false;
    this.#parts += 1;
    // Not push(...part): a call has a limit to its arguments.
    for (const service of part.services) this.content.services.push(service);
    for (const instance of part.instances) this.content.instances.push(instance);
    for (const table of part.tables) this.content.tables.push(table);
    for (const one of part.leftOut ?? []) this.leftOut.push(one);
    this.size += part.services.length + part.instances.length + part.tables.length;
    return true;
  }
}
