import type { Change, HistoryEntry } from "./records.ts";

/** The most changes that are remembered. */
export const HISTORY_MAX = 1_000;

/** Every change that was made, newest last; bounded, the oldest are forgotten first. */
export class History {
  readonly #entries = new Map<number, HistoryEntry>();
  #nextId = 1;

  get nextId(): number {
    return this.#nextId;
  }

  set(id: number, entry: HistoryEntry | null): void {
    if (entry === null) this.#entries.delete(id);
    else this.#entries.set(id, entry);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  /** The newest first. */
  list(limit: number = HISTORY_MAX): HistoryEntry[] {
    return this.#newestFirst().slice(0, limit);
  }

  /** The change that `undo` takes back: the last one that is not undone yet. */
  lastUndoable(): HistoryEntry | null {
    return this.#newestFirst().find((entry) => entry.undoable && !entry.undone) ?? null;
  }

  /** The ids to forget when another entry is added. */
  excess(): number[] {
    const ids = [...this.#entries.keys()].toSorted((a, b) => a - b);
    return ids.slice(0, Math.max(0, ids.length + 1 - HISTORY_MAX));
  }

  #newestFirst(): HistoryEntry[] {
    return [...this.#entries.values()].toSorted((a, b) => b.id - a.id);
  }
}

/** The change that takes another one back. */
export function inverse(change: Change): Change {
  return {
    tables: change.tables.map(swapped),
    services: change.services.map(swapped),
    drains: change.drains.map(swapped),
  };
}

function swapped<T>({ key, before, after }: { key: string; before: T | null; after: T | null }) {
  return { key, before: after, after: before };
}
