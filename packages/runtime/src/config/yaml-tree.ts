import {
  type Alias,
  type Document,
  type Pair,
  type YAMLMap,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  visit,
} from "yaml";
import type { Path } from "./problem.ts";
import { Written } from "./written.ts";

/**
 * The most values in a document, where those behind aliases and merges count each time: a few lines of nested aliases
 * could otherwise fill the memory.
 */
const VALUES_MAX = 500_000;
const DEPTH_MAX = 100;

/** Why a document is of no use although it is valid YAML, and where. */
export class TreeError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = "TreeError";
    this.offset = offset;
  }
}

type Entries = ReadonlyMap<string, Pair>;

/**
 * A YAML document as a tree of values, with aliases resolved and merge keys (`<<`) merged. Keys are the text that was
 * written, and of scalars both that and what YAML makes of it are kept.
 */
export class YamlTree {
  readonly #document: Document;
  /** The nodes that aliases stand for, once there is one. */
  #targets: ReadonlyMap<Alias, unknown> | null = null;
  readonly #entries = new Map<YAMLMap, Entries | null>();
  #values = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The document as plain data, with a `Written` for each scalar that is not text. @throws TreeError */
  toData(): unknown {
    return this.#dataOf(this.#document.contents, 0);
  }

  /**
   * The node at `path`, or the deepest one on the way to it, and its key; `isWhole` says whether all of the path
   * exists.
   */
  find(path: Path): { readonly key: unknown; readonly value: unknown; readonly isWhole: boolean } {
    let found: { readonly key: unknown; readonly value: unknown } = { key: null, value: this.#document.contents };
    for (const key of path) {
      const container = isAlias(found.value) ? this.#targetOf(found.value) : found.value;
      const item = isMap(container)
        ? this.#entriesOf(container).get(String(key))
        : isSeq(container) && typeof key === "number"
          ? container.items[key]
          : undefined;
      if (item === undefined) return { ...found, isWhole: false };
      found = isPair(item) ? { key: item.key, value: item.value } : { key: item, value: item };
    }
    return { ...found, isWhole: true };
  }

  #dataOf(node: unknown, depth: number): unknown {
    this.#count(1, node);
    if (depth > DEPTH_MAX)
      throw new TreeError(
        startOf(node),
        `it is nested more than ${DEPTH_MAX} deep, or an alias (*name) stands within what it names`,
      );
    if (isAlias(node)) return this.#dataOf(this.#resolve(node), depth + 1);
    if (isSeq(node)) return node.items.map((item) => this.#dataOf(item, depth + 1));
    if (isMap(node)) {
      const entries = [...this.#entriesOf(node)];
      return Object.fromEntries(entries.map(([key, { value }]) => [key, this.#dataOf(value, depth + 1)]));
    }
    return isScalar(node) ? scalarOf(node) : null;
  }

  #count(values: number, node: unknown): void {
    this.#values += values;
    if (this.#values > VALUES_MAX)
      throw new TreeError(startOf(node), `aliases (*name) stand for too much: at most ${VALUES_MAX} values in all`);
  }

  #targetOf(alias: Alias): unknown {
    this.#targets ??= targetsOf(this.#document);
    return this.#targets.get(alias);
  }

  #resolve(alias: Alias): unknown {
    const node = this.#targetOf(alias);
    if (node !== undefined) return node;
    throw new TreeError(
      startOf(alias),
      `*${alias.source} is an alias, and nothing before it has the anchor &${alias.source}: wanted quotes around a text that begins with *`,
    );
  }

  /** The entries of a mapping by the text of their keys: its own, then what it merges. */
  #entriesOf(map: YAMLMap): Entries {
    const known = this.#entries.get(map);
    if (known === null) throw new TreeError(startOf(map), "a mapping cannot merge (<<) what it stands within");
    if (known !== undefined) return known;
    this.#entries.set(map, null);
    const entries = new Map<string, Pair>();
    const merged: YAMLMap[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) merged.push(...this.#sourcesOf(pair));
      else entries.set(keyText(pair.key), pair);
    }
    for (const source of merged) {
      const more = this.#entriesOf(source);
      this.#count(more.size, map);
      for (const [key, pair] of more) if (!entries.has(key)) entries.set(key, pair);
    }
    this.#entries.set(map, entries);
    return entries;
  }

  #sourcesOf({ key, value }: Pair): YAMLMap[] {
    const resolved = isAlias(value) ? this.#resolve(value) : value;
    const all = isSeq(resolved) ? resolved.items : [resolved];
    return all.map((one) => {
      const source = isAlias(one) ? this.#resolve(one) : one;
      if (isMap(source)) return source;
      throw new TreeError(startOf(one ?? key), "<< merges mappings: wanted *NAME of a mapping, or a list of them");
    });
  }
}

/**
 * The node that each alias stands for: the last one before it with that anchor. Found in one walk; the library would
 * make one for each alias.
 */
function targetsOf(document: Document): Map<Alias, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<Alias, unknown>();
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_, node) {
      targets.set(node, anchors.get(node.source));
    },
  });
  return targets;
}

/** A key as it was written. */
export function keyText(key: unknown): string {
  if (!isScalar(key)) return String(key);
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

/** Whether a key merges mappings into its own; in quotes it is a key like any other. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

/** The offset at which a node begins. */
export function startOf(node: unknown): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return range?.[0] ?? 0;
}

function scalarOf({ value, source }: { readonly value: unknown; readonly source?: string }): unknown {
  if (typeof value === "string") return value;
  const text = source ?? String(value);
  // An empty value has no text in the file.
  if (value === null) return text === "" ? null : new Written(text, null);
  return typeof value === "number" || typeof value === "boolean" ? new Written(text, value) : text;
}
