import { rmSync, statSync } from "node:fs";
import { endOf } from "./file-names.ts";

interface NewerFile {
  readonly path: string;
  readonly number: number;
}

/**
 * Files that a newer version wrote before an older one took its place. They stay as they are, for when the newer one runs
 * again, but take their part of the room and grow old as all others.
 */
export class NewerFiles {
  readonly #tell: (count: number) => void;
  /** The newest first. */
  #files: readonly NewerFile[] = [];
  #told = 0;

  /** @param tell told how many there are when that has changed */
  constructor(tell: (count: number) => void) {
    this.#tell = tell;
  }

  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + bytesOf(file), 0);
  }

  /** The number of the oldest; null where there is none. */
  get oldest(): number | null {
    return this.#files.at(-1)?.number ?? null;
  }

  add(path: string, number: number): void {
    const others = this.#files.filter((one) => one.number !== number);
    this.#files = [...others, { path, number }].toSorted((a, b) => b.number - a.number);
  }

  removeOldest(): void {
    const oldest = this.#files.at(-1);
    if (oldest === undefined) return;
    for (const end of ENDS) rmSync(`${oldest.path}${end}`, { force: true });
    this.#files = this.#files.slice(0, -1);
  }

  /** Removes those whose hour was over then. */
  expire(beforeMs: number): void {
    while (this.oldest !== null && endOf(this.oldest) < beforeMs) this.removeOldest();
  }

  /** Forgets what was seen, as the folder is looked through anew. */
  clear(): void {
    this.#files = [];
  }

  /** Tells how many there are, if that is news. */
  tell(): void {
    if (this.#files.length === this.#told) return;
    this.#told = this.#files.length;
    this.#tell(this.#told);
  }
}

const ENDS = ["", "-wal", "-shm"];

const bytesOf = ({ path }: NewerFile): number =>
  ENDS.reduce((sum, end) => sum + (statSync(`${path}${end}`, { throwIfNoEntry: false })?.size ?? 0), 0);
