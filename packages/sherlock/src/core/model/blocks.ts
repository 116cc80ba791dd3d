import { spread } from "./hash.ts";
import { BLOCKS_MAX, BLOCK_SIZE } from "./prefixes.ts";

/**
 * Two blocks: one is in use, and the next division is written into the other before all requests are switched to it at
 * once.
 */
export const PAIR_SIZE = 2 * BLOCK_SIZE;
const PAIRS_MAX = BLOCKS_MAX / 2;

/**
 * Gives each key the base of a pair of blocks of its own. The place of a key follows from its name, so that equal
 * tables give equal blocks and a key that is added or removed moves no other one, unless two names hash to the same
 * place.
 */
export function assignBlocks(keys: Iterable<string>): Map<string, number> {
  const bases = new Map<string, number>();
  const taken = new Set<number>();
  for (const key of [...new Set(keys)].sort()) {
    if (taken.size === PAIRS_MAX) throw new Error(`Cannot assign a block: all ${PAIRS_MAX} are taken`);
    let pair = spread(key) % PAIRS_MAX;
    while (taken.has(pair)) pair = (pair + 1) % PAIRS_MAX;
    taken.add(pair);
    bases.set(key, pair * PAIR_SIZE);
  }
  return bases;
}

/** The base of the pair that a pointer points into. */
export function pairOf(pointer: number): number {
  return pointer - (pointer % PAIR_SIZE);
}
