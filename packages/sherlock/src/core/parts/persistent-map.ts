import { EntriesMap } from "./entries-map.ts";

/** A key that tells by itself where it stands. */
type Key = string | number;

/** Of ten thousand entries a change copies 160, and of none there is little to go through. */
const SHARDS = 64;

const EMPTY: ReadonlyMap<never, never> = new Map<never, never>();

/**
 * A map that never changes: `with` makes another one, which shares with it all but the few shards that differ. So a
 * version costs what is changed in it, and what differs between two is found without a look at what does not.
 */
export class PersistentMap<K extends Key, V> extends EntriesMap<K, V> {
  readonly #shards: readonly ReadonlyMap<K, V>[];
  readonly size: number;

  private constructor(shards: readonly ReadonlyMap<K, V>[], size: number) {
    super();
    this.#shards = shards;
    this.size = size;
  }

  static empty<K extends Key, V>(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(
      Array.from({ length: SHARDS }, () => EMPTY),
      0,
    );
  }

  /** The same with other values of some keys, and without those that have none; itself where nothing differs. */
  with(changes: Iterable<readonly [key: K, value: V | undefined]>): PersistentMap<K, V> {
    const copies = new Map<number, Map<K, V>>();
    let { size } = this;
    for (const [key, value] of changes) {
      const at = shardOf(key);
      const before = copies.get(at) ?? this.#shard(at);
      if (value === undefined ? !before.has(key) : before.get(key) === value) continue;
      const copy = copies.get(at) ?? new Map(before);
      copies.set(at, copy);
      size -= copy.size;
      if (value === undefined) copy.delete(key);
      else copy.set(key, value);
      size += copy.size;
    }
    if (copies.size === 0) return this;
    const shards = [...this.#shards];
    for (const [at, copy] of copies) shards[at] = copy.size === 0 ? EMPTY : copy;
    return new PersistentMap(shards, size);
  }

  /** The keys whose values are not the same object in the other, or that one of the two lacks. */
  differences(other: PersistentMap<K, V>): Set<K> {
    const keys = new Set<K>();
    for (let at = 0; at < SHARDS; at++) {
      const [mine, theirs] = [this.#shard(at), other.#shard(at)];
      if (mine === theirs) continue;
      for (const [key, value] of mine) if (theirs.get(key) !== value) keys.add(key);
      for (const key of theirs.keys()) if (!mine.has(key)) keys.add(key);
    }
    return keys;
  }

  get(key: K): V | undefined {
    return this.#shard(shardOf(key)).get(key);
  }

  has(key: K): boolean {
    return this.#shard(shardOf(key)).has(key);
  }

  *entries(): MapIterator<[K, V]> {
    for (const shard of this.#shards) for (const entry of shard) yield entry;
  }

  #shard(at: number): ReadonlyMap<K, V> {
    return this.#shards[at] as ReadonlyMap<K, V>;
  }
}

/** A map of how many there are of each, after some have gone and others have come. */
export function counted<K extends Key>(
  counts: PersistentMap<K, number>,
  { gone, come }: { readonly gone: Iterable<K>; readonly come: Iterable<K> },
): PersistentMap<K, number> {
  const by = new Map<K, number>();
  for (const key of gone) by.set(key, (by.get(key) ?? 0) - 1);
  for (const key of come) by.set(key, (by.get(key) ?? 0) + 1);
  return counts.with(
    [...by].map(([key, more]) => {
      const count = (counts.get(key) ?? 0) + more;
      return [key, count === 0 ? undefined : count] as const;
    }),
  );
}

function shardOf(key: Key): number {
  if (typeof key === "number") return (Math.imul(key, 0x9e3779b1) >>> 16) % SHARDS;
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % SHARDS;
}
