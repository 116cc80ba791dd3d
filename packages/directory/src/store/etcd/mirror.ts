/**
 * The known revision of each key, so that each change is reported once: a write of this directory comes back with the
 * watch, and so does what a refused transaction has shown.
 */
export class Mirror {
  readonly #revisions = new Map<string, number>();
  /** Keys that are gone, for as long as older news of them may still come. */
  readonly #gone = new Map<string, number>();

  /** The known revision of a key; 0 for one that is not there. */
  revision(key: string): number {
    return this.#revisions.get(key) ?? 0;
  }

  /** Takes a key that was written. Returns whether that is news. */
  put(key: string, revision: number): boolean {
    if (revision <= (this.#revisions.get(key) ?? this.#gone.get(key) ?? 0)) return false;
    this.#gone.delete(key);
    this.#revisions.set(key, revision);
    return true;
  }

  /** Takes a key that was removed. Returns whether that is news. */
  remove(key: string, revision: number): boolean {
    const known = this.#revisions.get(key);
    if (revision > (this.#gone.get(key) ?? 0)) this.#gone.set(key, revision);
    if (known === undefined || revision <= known) return false;
    this.#revisions.delete(key);
    return true;
  }

  /** All news up to this revision has come. */
  reached(revision: number): void {
    for (const [key, at] of this.#gone) if (at <= revision) this.#gone.delete(key);
  }

  /** The known keys that a complete list as of `revision` lacks, which are then known to be gone. */
  retain(listed: ReadonlySet<string>, revision: number): string[] {
    const gone = [...this.#revisions].flatMap(([key, at]) => (at <= revision && !listed.has(key) ? [key] : []));
    for (const key of gone) this.remove(key, revision);
    return gone;
  }

  /** Forgets every revision, and none of the keys: etcd has gone back in time, so that no number means anything. */
  forgetRevisions(): void {
    for (const key of this.#revisions.keys()) this.#revisions.set(key, 0);
    this.#gone.clear();
  }
}
