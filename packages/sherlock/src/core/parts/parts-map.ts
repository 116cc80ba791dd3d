import { EntriesMap } from "./entries-map.ts";

/** How a map of all is seen in parts. */
export interface PartsView<Part, K, V> {
  /** By the name that a part has. */
  readonly parts: ReadonlyMap<string, Part>;
  /** What a part adds; no two add the same key. */
  of(part: Part, name: string): readonly (readonly [key: K, value: V])[];
  /** Finds one entry without a look at the others; left out where no key says whose it is. */
  find?(key: K): V | undefined;
  /** Left out for the order of the parts. */
  compare?(a: K, b: K): number;
}

/** What all parts add, as one map that is nowhere kept: it costs nothing until it is gone through. */
export class PartsMap<Part, K, V> extends EntriesMap<K, V> {
  readonly #view: PartsView<Part, K, V>;
  #index: ReadonlyMap<K, V> | null = null;
  #size: number | null;

  /** @param size counted where it is not given. */
  constructor(view: PartsView<Part, K, V>, size: number | null = null) {
    super();
    this.#view = view;
    this.#size = size;
  }

  get size(): number {
    this.#size ??= [...this.#all()].length;
    return this.#size;
  }

  get(key: K): V | undefined {
    if (this.#view.find !== undefined) return this.#view.find(key);
    this.#index ??= new Map(this.#all());
    return this.#index.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    const { compare } = this.#view;
    const all = compare === undefined ? this.#all() : [...this.#all()].sort(([a], [b]) => compare(a, b));
    for (const entry of all) yield entry;
  }

  *#all(): Generator<[K, V], undefined, undefined> {
    const { parts, of } = this.#view;
    for (const [name, part] of parts) for (const entry of of(part, name)) yield entry as [K, V];
  }
}
