const CAPACITY_MIN = 16;
/** What is larger than this, and nearly empty, shrinks: whoever looks at all of it pays for its room. */
const CAPACITY_KEPT = 4_096;

/**
 * A map by numbers that count up, for what comes and goes with each message: deliveries by id, messages by sequence.
 *
 * A `Map` makes a new table each time that it has had as many keys as it has room for. The table before it knows the new
 * one, so that once one of them is old, V8's collections of the young generation keep all that come after it, with what they
 * held, until it marks the whole heap: half of what a message allocates became old that way. Here a key has its place in a
 * ring by its last bits; nothing is made anew while about as many come as go. A few that stay far behind the others have
 * a `Map` beside it.
 */
export class SequenceMap<V extends object> {
  /** The key of each place, which counts only where there is a value. */
  #keys: number[] = [];
  #values: (V | null)[] = [];
  #inRing = 0;
  #behind: Map<number, V> | null = null;

  get size(): number {
    return this.#inRing + (this.#behind?.size ?? 0);
  }

  get(key: number): V | undefined {
    const at = key & (this.#keys.length - 1);
    if (this.#keys[at] === key) return this.#values[at] ?? undefined;
    return this.#behind?.get(key);
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  /** @param key a whole number, 0 to 2^53 - 1. */
  set(key: number, value: V): void {
    if (this.#behind?.has(key) === true) {
      this.#behind.set(key, value);
      return;
    }
    if (this.#inRing * 2 >= this.#keys.length) this.#resize(Math.max(CAPACITY_MIN, this.#keys.length * 2));
    this.#put(key, value);
  }

  /** @returns whether it was there. */
  delete(key: number): boolean {
    const at = key & (this.#keys.length - 1);
    if (this.#keys[at] !== key || this.#values[at] === null) return this.#behind?.delete(key) ?? false;
    this.#values[at] = null;
    const capacity = this.#keys.length;
    if (--this.#inRing * 8 < capacity && capacity > CAPACITY_KEPT) this.#resize(capacity / 4);
    return true;
  }

  clear(): void {
    this.#keys = [];
    this.#values = [];
    this.#inRing = 0;
    this.#behind = null;
  }

  /** All keys as they are now, the smallest first. */
  keys(): number[] {
    const keys = this.#keys.filter((_key, at) => this.#values[at] !== null);
    if (this.#behind !== null) keys.push(...this.#behind.keys());
    return keys.toSorted((a, b) => a - b);
  }

  #put(key: number, value: V): void {
    const at = key & (this.#keys.length - 1);
    const there = this.#values[at] ?? null;
    if (there === null) this.#inRing++;
    else if (this.#keys[at] !== key) {
      this.#behind ??= new Map();
      this.#behind.set(this.#keys[at] as number, there);
    }
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #resize(capacity: number): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = Array.from({ length: capacity }, () => -1);
    this.#values = Array.from({ length: capacity }, () => null);
    this.#inRing = 0;
    for (const [at, value] of values.entries()) if (value !== null) this.#put(keys[at] as number, value);
  }
}

const PRESENT = {};

/** A set of numbers that count up; see `SequenceMap`. */
export class SequenceSet {
  readonly #map = new SequenceMap<typeof PRESENT>();

  get size(): number {
    return this.#map.size;
  }

  /** @param key as of `SequenceMap.set`. */
  add(key: number): void {
    this.#map.set(key, PRESENT);
  }

  /** @returns whether it was there. */
  delete(key: number): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  /** All as they are now, the smallest first. */
  keys(): number[] {
    return this.#map.keys();
  }
}
