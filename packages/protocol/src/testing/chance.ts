/** Chance that a seed decides: xorshift32, which is even enough for picking and costs nothing. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds begin far apart, and none begins at 0, where it would stay.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 1;
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** A whole number from 0 to below `below`. */
  int(below: number): number {
    return this.#next() % below;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  /** True once in so many times. */
  once(inTimes: number): boolean {
    return this.int(inTimes) === 0;
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}

/** The same fractions for the same seed, each from 0 up to 1, even enough for statistics (mulberry32). */
export function fractionsBy(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many of `n` happen, each with a chance of `p`: from one to the next that does, which for a rare one is few steps. */
export function happening(n: number, p: number, random: () => number): number {
  if (p <= 0) return 0;
  const unlikely = Math.log1p(-p);
  const gap = (): number => Math.floor(Math.log(1 - random()) / unlikely) + 1;
  let count = 0;
  for (let at = gap(); at <= n; at += gap()) count += 1;
  return count;
}
