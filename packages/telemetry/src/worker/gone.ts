import type { GoneRecords } from "./messages.ts";

interface GoneDeps {
  readonly nowMs: () => number;
  /** Told how many more are lost. */
  readonly lost: (count: number) => void;
  readonly tell: (gone: GoneRecords | null) => void;
}

/** Keeps count of records whose files were taken away, until these are put back or what they hold would be too old. */
export class Gone {
  readonly #folder: string;
  readonly #deps: GoneDeps;
  /** In files that are closed. */
  #closed = 0;
  /** In files that are open, and lead nowhere. */
  #open = 0;
  #told: GoneRecords | null = null;

  constructor(folder: string, deps: GoneDeps) {
    this.#folder = folder;
    this.#deps = deps;
  }

  /** The files were opened anew, and so many of their records are not there any more; fewer than none are back. */
  took(count: number): void {
    if (count > 0) this.#deps.lost(count);
    this.#closed = Math.max(0, this.#closed + count);
    this.see(0);
  }

  /** So many are in files that are open and were taken away: as long as they are, nothing is lost yet. */
  see(count: number): void {
    this.#open = count;
    const all = this.#closed + this.#open;
    if (all === (this.#told?.count ?? 0)) return;
    const sinceMs = this.#told?.sinceMs ?? this.#deps.nowMs();
    this.#told = all === 0 ? null : { folder: this.#folder, count: all, sinceMs };
    this.#deps.tell(this.#told);
  }

  /** What is older than this is missed by nobody. */
  expire(ageMs: number): void {
    if (this.#told === null || this.#deps.nowMs() - this.#told.sinceMs < ageMs) return;
    this.#closed = 0;
    this.see(this.#open);
  }
}
