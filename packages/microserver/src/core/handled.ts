import type { Identity, Message } from "./message.ts";

/** By what a message is known again: its number among those of its producer, or in the topic; null where it has neither. */
export function keyOf({ offset }: Message, identity: Identity | null): Identity | null {
  return identity ?? (offset === null ? null : { producer: "", sequence: offset });
}

/** Numbers by their producers. */
type Keys = Map<string, Set<number>>;

/**
 * What was handled lately, and may come once more as its settlement was lost on the way: the last 10,000, and at most as many
 * before these. They are forgotten all at once: to look for the oldest of a set, from which others were taken before, is slow.
 */
export class Handled {
  #recent: Keys = new Map();
  #before: Keys = new Map();
  #recentCount = 0;
  readonly #min: number;

  constructor(min = 10_000) {
    this.#min = min;
  }

  has(key: Identity | null): boolean {
    return key !== null && (isIn(this.#recent, key) || isIn(this.#before, key));
  }

  add(key: Identity | null): void {
    if (key === null) return;
    if (this.#recentCount === this.#min) {
      this.#before = this.#recent;
      this.#recent = new Map();
      this.#recentCount = 0;
    }
    const numbers = this.#recent.get(key.producer);
    if (numbers === undefined) this.#recent.set(key.producer, new Set([key.sequence]));
    else numbers.add(key.sequence);
    this.#recentCount++;
  }
}

const isIn = (keys: Keys, { producer, sequence }: Identity): boolean => keys.get(producer)?.has(sequence) === true;
