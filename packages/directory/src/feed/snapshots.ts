import { type Buckets, type Catalog, countBuckets, differingBuckets } from "@datawire/catalog";
import { SNAPSHOT_PART_ENTITIES, type TableChange } from "@datawire/protocol";
import type { Have, DeltaLog } from "./delta-log.ts";

/** A whole table as the frames that a new subscriber is sent. */
export interface Snapshot {
  readonly revision: number;
  readonly frames: readonly Uint8Array[];
}

/** A part is cut here even when it could hold more entities: entities may be large, and a frame is at most 4 MiB. */
const PART_CHARACTERS_MAX = 1024 * 1024;
/** A snapshot is made anew when the deltas after it would be more than this share of it. */
const STALE_SHARE = 0.25;
/** Some buckets are small and take a look at every key to be found: they are made anew after no fewer bytes than this. */
const LACKING_STALE_BYTES = 256 * 1024;
/** Where more of the buckets than this differ, the whole table is sent: it is made once for all. */
const LACKING_SHARE = 0.25;
/** Subscribers that come from one directory that has ended mostly have the same table. */
const LACKING_KEPT = 8;

const encoder = new TextEncoder();

/**
 * Keeps the last snapshot for the next new subscriber. It is not thrown away with every change: an older one with the
 * deltas after it is the same table, and under churn with many newcomers that saves serialising the whole again and again.
 */
export class Snapshots {
  readonly #table: Catalog;
  readonly #log: DeltaLog;
  #kept: Measured | null = null;
  /** By what a subscriber has in each bucket, the one that was made last at the end. */
  readonly #lacking = new Map<string, Measured>();

  constructor(table: Catalog, log: DeltaLog) {
    this.#table = table;
    this.#log = log;
  }

  /** A snapshot of this or of a recent revision. The table must have no change that is not in the log yet. */
  get({ warming }: { readonly warming: boolean }): Snapshot {
    if (this.#kept !== null && !this.#isStale(this.#kept, this.#kept.bytes * STALE_SHARE)) return this.#kept;
    const { epoch, revision } = this.#log;
    const content = { ...this.#table.snapshot(), hash: this.#table.hash() };
    this.#kept = measured(revision, serialise(content, { epoch, revision, warming }));
    return this.#kept;
  }

  /**
   * The buckets of the table in which a subscriber has something else; null where it does not say what it has, or where
   * the whole is not much more. Kept for others that have the same, as long as little has changed since.
   */
  lacking(have: Have | null, { warming }: { readonly warming: boolean }): Snapshot | null {
    const digests = have?.sectors;
    const count = digests === undefined ? null : countBuckets(digests);
    if (digests === undefined || count === null) return null;
    const kept = this.#lacking.get(digests);
    if (kept !== undefined && !this.#isStale(kept, LACKING_STALE_BYTES)) return kept;
    const buckets = differingBuckets(digests, this.#table.buckets(count));
    if (buckets.these.length > count * LACKING_SHARE) return null;
    const { epoch, revision } = this.#log;
    const content = { ...this.#table.inBuckets(buckets), hash: this.#table.hash() };
    const made = measured(revision, serialise(content, { epoch, revision, warming, buckets }));
    this.#lacking.delete(digests);
    this.#lacking.set(digests, made);
    for (const oldest of this.#lacking.keys()) if (this.#lacking.size > LACKING_KEPT) this.#lacking.delete(oldest);
    return made;
  }

  /** Forgets the kept one: what it says of the warm-up no longer holds. */
  clear(): void {
    this.#kept = null;
    this.#lacking.clear();
  }

  /** Whether deltas after it are missing, or have more bytes than that. */
  #isStale({ revision }: Snapshot, bytesMax: number): boolean {
    const { epoch } = this.#log;
    return !this.#log.covers({ epoch, revision }) || this.#log.bytesAfter(revision) > bytesMax;
  }
}

type Measured = Snapshot & { readonly bytes: number };

const measured = (revision: number, frames: readonly Uint8Array[]): Measured => ({
  revision,
  frames,
  bytes: frames.reduce((sum, frame) => sum + frame.length, 0),
});

/** What snapshots are made of. */
type Content = Omit<TableChange, "gone"> & { readonly hash: string };

/** Serialises a table, or some buckets of it, into `snapshot` messages. */
export function serialise(
  { services, tables, instances, hash }: Content,
  {
    buckets,
    ...head
  }: { readonly epoch: string; readonly revision: number; readonly warming: boolean; readonly buckets?: Buckets },
): Uint8Array[] {
  const parts = [newPart()];
  const add = (kind: keyof Part["lists"], entity: unknown): void => {
    const text = JSON.stringify(entity);
    let part = parts.at(-1) as Part;
    if (part.entities >= SNAPSHOT_PART_ENTITIES || part.characters + text.length > PART_CHARACTERS_MAX)
      parts.push((part = newPart()));
    part.lists[kind].push(text);
    part.entities += 1;
    part.characters += text.length;
  };
  for (const service of services) add("services", service);
  for (const routes of tables) add("tables", routes);
  for (const instance of instances) add("instances", instance);
  return parts.map(({ lists }, part) => {
    const last = part === parts.length - 1;
    const start = JSON.stringify({
      type: "snapshot",
      ...head,
      part,
      last,
      ...(part === 0 && { sectors: buckets }),
      ...(last && { hash }),
    });
    const body = Object.entries(lists).map(([kind, texts]) => `"${kind}":[${texts.join(",")}]`);
    return encoder.encode(`${start.slice(0, -1)},${body.join(",")}}`);
  });
}

interface Part {
  readonly lists: Record<"services" | "instances" | "tables", string[]>;
  entities: number;
  characters: number;
}

const newPart = (): Part => ({ lists: { services: [], instances: [], tables: [] }, entities: 0, characters: 0 });
