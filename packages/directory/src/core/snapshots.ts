import type { Table } from "@datawire/protocol";
import { SNAPSHOT_PART_ENTITIES } from "@datawire/protocol";
import type { RevisionLog } from "./revisions.ts";

/** A whole table as the frames that a new subscriber is sent. */
export interface Snapshot {
  readonly revision: number;
  readonly frames: readonly Uint8Array[];
}

/** A part is cut here even when it could hold more entities: entities may be large, and a frame is at most 4 MiB. */
const PART_CHARACTERS_MAX = 1024 * 1024;
/** A snapshot is made anew when the deltas after it would be more than this share of it. */
const STALE_SHARE = 0.25;

const encoder = new TextEncoder();

/**
 * Keeps the last snapshot for the next new subscriber. It is not thrown away with every change: an older one with the
 * deltas after it is the same table, and under churn with many newcomers that saves serialising the whole again and again.
 */
export class Snapshots {
  readonly #table: Table;
  readonly #log: RevisionLog;
  #kept: (Snapshot & { readonly bytes: number }) | null = null;

  constructor(table: Table, log: RevisionLog) {
    this.#table = table;
    this.#log = log;
  }

  /** A snapshot of this or of a recent revision. The table must have no change that is not in the log yet. */
  get({ warming }: { readonly warming: boolean }): Snapshot {
    const { epoch, revision } = this.#log;
    const kept = this.#kept;
    if (kept !== null && kept.revision === revision) return kept;
    const stale =
      kept === null ||
      !this.#log.covers({ epoch, revision: kept.revision }) ||
      this.#log.bytesAfter(kept.revision) > kept.bytes * STALE_SHARE;
    if (kept !== null && !stale) return kept;
    const frames = serialise(this.#table, { epoch, revision, warming });
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.#kept = { revision, frames, bytes };
    return this.#kept;
  }

  /** Forgets the kept one: what it says of the warm-up no longer holds. */
  clear(): void {
    this.#kept = null;
  }
}

/** Serialises a table into `snapshot` messages. */
export function serialise(
  table: Pick<Table, "services" | "instances" | "tables" | "hash">,
  head: { readonly epoch: string; readonly revision: number; readonly warming: boolean },
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
  for (const service of table.services()) add("services", service);
  for (const routes of table.tables()) add("tables", routes);
  for (const instance of table.instances()) add("instances", instance);
  return parts.map(({ lists }, part) => {
    const last = part === parts.length - 1;
    const hash = last ? table.hash() : undefined;
    const start = JSON.stringify({ type: "snapshot", ...head, part, last, hash });
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
