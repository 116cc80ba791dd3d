/**
 * Which files came under their names whole, as by `mv`: whoever makes a file under its name writes it there next, which
 * the file system tells as a change. So such a file need not be left alone for a while before it is read.
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
