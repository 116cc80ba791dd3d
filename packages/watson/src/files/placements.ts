/**
 * Which files were moved into place, as by `mv`, and can be read at once. A file that is created under its name is
 * written next, which the file system reports as a change; one that was moved there is not.
 */
export class Placements {
  /** Since when, by path. */
  readonly #whole = new Map<string, number>();

  /** Takes an event of the file system: a name came or went (`rename`), or what is under it was written (`change`). */
  note(event: "rename" | "change", path: string, nowMs: number): void {
    if (event === "rename") this.#whole.set(path, nowMs);
    else this.#whole.delete(path);
  }

  /** When a file came whole; null for one that did not, or was written since. */
  wholeSinceMs(path: string): number | null {
    return this.#whole.get(path) ?? null;
  }

  /** Forgets all but these: names come and go that nobody reads. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#whole.keys()) if (!paths.has(path)) this.#whole.delete(path);
  }

  /** Forgets all, where events may have been missed. */
  clear(): void {
    this.#whole.clear();
  }
}
