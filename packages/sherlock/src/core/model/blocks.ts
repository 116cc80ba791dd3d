import { PersistentMap } from "../parts/persistent-map.ts";
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
    let pair = homeOf(key);
    while (taken.has(pair)) pair = (pair + 1) % PAIRS_MAX;
    taken.add(pair);
    bases.set(key, pair * PAIR_SIZE);
  }
  return bases;
}

/** Which blocks are whose. */
export interface Blocks {
  /** key → the base of its pair. */
  readonly bases: PersistentMap<string, number>;
  /** base → the key whose it is. */
  readonly owners: PersistentMap<number, string>;
}

/** No blocks. */
export const NO_BLOCKS: Blocks = { bases: PersistentMap.empty(), owners: PersistentMap.empty() };

/** So many keys are worth less than to begin anew. */
const SINGLE_MAX = 64;

/** What `assignBlocks` would say after some keys have gone and others have come. */
export function reassignBlocks(
  before: Blocks,
  { gone, come }: { readonly gone: ReadonlySet<string>; readonly come: ReadonlySet<string> },
): Blocks {
  if (gone.size + come.size > SINGLE_MAX) return assignedAnew(before, { gone, come });
  let { bases, owners } = before;
  for (const key of gone) {
    const base = bases.get(key);
    if (base === undefined) continue;
    // One that has come to stand behind it, because it was there, would move.
    if (owners.has(baseOf(base / PAIR_SIZE + 1))) return assignedAnew(before, { gone, come });
    bases = bases.with([[key, undefined]]);
    owners = owners.with([[base, undefined]]);
  }
  for (const key of come) {
    if (bases.has(key)) continue;
    const base = baseOf(homeOf(key));
    // Which of the two comes first is a matter of their names.
    if (owners.has(base)) return assignedAnew(before, { gone, come });
    bases = bases.with([[key, base]]);
    owners = owners.with([[base, key]]);
  }
  return { bases, owners };
}

function assignedAnew(
  before: Blocks,
  { gone, come }: { readonly gone: ReadonlySet<string>; readonly come: ReadonlySet<string> },
): Blocks {
  const kept = [...before.bases.keys()].filter((key) => !gone.has(key));
  const now = assignBlocks([...kept, ...come]);
  const left = [...gone].filter((key) => !now.has(key));
  const bases = before.bases.with([...now, ...left.map((key) => [key, undefined] as const)]);
  const taken = new Map([...now].map(([key, base]) => [base, key]));
  const freed = [...before.owners.keys()].filter((base) => !taken.has(base));
  return { bases, owners: before.owners.with([...taken, ...freed.map((base) => [base, undefined] as const)]) };
}

function homeOf(key: string): number {
  return spread(key) % PAIRS_MAX;
}

function baseOf(pair: number): number {
  return (pair % PAIRS_MAX) * PAIR_SIZE;
}

/** The base of the pair that a pointer points into. */
export function pairOf(pointer: number): number {
  return pointer - (pointer % PAIR_SIZE);
}
