const CAPACITY_MIN = 64;
/** Most addresses have no message that expires. */
const NONE = new Float64Array(0);

/** When the messages of an address expire: a heap with 16 bytes for each message that does. */
export class Expiries {
  /** Whether a message still waits: those that do not are left out when room is short. */
  readonly #isThere: (sequence: number) => boolean;
  /** A heap of pairs: the moment, milliseconds since 1970, and the sequence. */
  #pairs = NONE;
  #size = 0;

  constructor(isThere: (sequence: number) => boolean) {
    this.#isThere = isThere;
  }

  /** How many entries there are, some of messages that are gone. */
  get size(): number {
    return this.#size;
  }

  add(atMs: number, sequence: number): void {
    if (this.#size * 2 === this.#pairs.length) this.#makeRoom();
    this.#put(this.#size++, atMs, sequence);
  }

  /** Takes the next message out whose time is over; null for none. */
  takeDue(nowMs: number): number | null {
    const pairs = this.#pairs;
    if (this.#size === 0 || (pairs[0] as number) > nowMs) return null;
    const sequence = pairs[1] as number;
    const last = --this.#size;
    if (last > 0) this.#sink(pairs[last * 2] as number, pairs[last * 2 + 1] as number);
    return sequence;
  }

  /** Lets an entry rise from a place to where it belongs. */
  #put(from: number, atMs: number, sequence: number): void {
    const pairs = this.#pairs;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((pairs[parent * 2] as number) <= atMs) break;
      pairs[at * 2] = pairs[parent * 2] as number;
      pairs[at * 2 + 1] = pairs[parent * 2 + 1] as number;
      at = parent;
    }
    pairs[at * 2] = atMs;
    pairs[at * 2 + 1] = sequence;
  }

  /** Puts an entry at the root, and lets it sink to where it belongs. */
  #sink(atMs: number, sequence: number): void {
    const pairs = this.#pairs;
    let at = 0;
    for (let child = 1; child < this.#size; child = at * 2 + 1) {
      if (child + 1 < this.#size && (pairs[child * 2 + 2] as number) < (pairs[child * 2] as number)) child++;
      if ((pairs[child * 2] as number) >= atMs) break;
      pairs[at * 2] = pairs[child * 2] as number;
      pairs[at * 2 + 1] = pairs[child * 2 + 1] as number;
      at = child;
    }
    pairs[at * 2] = atMs;
    pairs[at * 2 + 1] = sequence;
  }

  /** Leaves out what is gone; where that is little, there is twice the room. */
  #makeRoom(): void {
    const before = this.#pairs.subarray(0, this.#size * 2);
    let kept = 0;
    for (let at = 0; at < before.length; at += 2) if (this.#isThere(before[at + 1] as number)) kept++;
    this.#pairs = new Float64Array(Math.max(CAPACITY_MIN, kept * 4));
    this.#size = 0;
    for (let at = 0; at < before.length; at += 2) {
      const sequence = before[at + 1] as number;
      if (this.#isThere(sequence)) this.#put(this.#size++, before[at] as number, sequence);
    }
  }
}
