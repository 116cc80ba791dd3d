/** The most processes whose numbers are remembered; those that said something last. */
const NODES_MAX = 10_000;
/** The most numbers of one process that came out of order. */
const AHEAD_MAX = 10_000;

interface Seen {
  /** All numbers below it have been seen. */
  below: number;
  /** Numbers beyond it that have been seen. */
  readonly ahead: Set<number>;
}

/** Which numbered messages of which process have come already: what was not acknowledged comes again after a reconnect. */
export class SeenOnce {
  readonly #nodes = new Map<string, Seen>();

  /** Whether this one comes for the first time. */
  isNew(node: string, sequence: number): boolean {
    const seen = this.#nodes.get(node) ?? { below: 0, ahead: new Set<number>() };
    this.#nodes.delete(node);
    this.#nodes.set(node, seen);
    for (const oldest of this.#nodes.keys()) {
      if (this.#nodes.size <= NODES_MAX) break;
      this.#nodes.delete(oldest);
    }
    if (sequence < seen.below || seen.ahead.has(sequence)) return false;
    seen.ahead.add(sequence);
    // One that was given away by what a process dropped never comes: the lowest is then taken for the next.
    if (seen.ahead.size > AHEAD_MAX) seen.below = Math.min(...seen.ahead);
    while (seen.ahead.delete(seen.below)) seen.below += 1;
    return true;
  }
}
