import { xxHash32 } from "js-xxhash";
import { isFailure } from "../model/levels.ts";
import type { Attributes, EventRecord, Resource, SpanRecord } from "../model/records.ts";
import { type Term, valueText } from "./terms.ts";
import { wordsOf } from "./words.ts";

/** Of one document, further words are not found. */
const WORDS_MAX = 20_000;
/** Hashes of pairs are kept, as most come again. */
const HASHES_MAX = 50_000;

/** Gathers what one document of the index is found by. */
export class IndexWords {
  readonly #words = new Set<string>();

  span({ name, status, message, scope, attributes, resource }: SpanRecord): void {
    this.#text(name);
    if (message !== null) this.#text(message);
    if (scope !== null) this.#text(scope);
    if (status === "error") this.#words.add(FAILED);
    this.#attributes(attributes);
    this.#resource(resource);
  }

  event({ text, category, level, attributes, resource }: EventRecord): void {
    if (isFailure(level)) this.#words.add(FAILED);
    this.#text(text);
    this.#text(category);
    this.#attributes(attributes);
    this.#resource(resource);
  }

  /** The document as text. */
  toString(): string {
    return [...this.#words].join(" ");
  }

  #resource({ service, version, instance, node, attributes }: Resource): void {
    for (const text of [service, version, instance, node]) if (text !== null) this.#text(text);
    this.#attributes(attributes);
  }

  #attributes(attributes: Attributes): void {
    for (const [key, value] of Object.entries(attributes)) {
      const text = valueText(value);
      this.#text(text);
      this.#add(pairWord(key, text));
    }
  }

  #text(text: string): void {
    for (const word of wordsOf(text)) this.#add(word);
  }

  #add(word: string): void {
    if (this.#words.size < WORDS_MAX) this.#words.add(word);
  }
}

/** Stands in the index for a span that failed, or an event of ERROR or worse. */
export const FAILED = "zzfailed";

/** Fields that are found by the words of their values alone. */
const FIELDS = new Set(["service", "service.name", "version", "service.version", "instance", "service.instance.id"]);
/** Fields that the index does not have. */
const UNINDEXED = new Set(["kind", "level", "environment", "traceid", "spanid"]);

/**
 * The words that a document has for certain if it matches the term; none where the index does not tell. What the index
 * finds is looked at again, by `spanMatches` and `eventMatches`.
 */
export function wordsFor(term: Term): readonly string[] {
  if (term.kind === "phrase") return term.words;
  const { key, value } = term;
  const name = key.toLowerCase();
  if (name === "status") return value.toLowerCase() === "error" ? [FAILED] : [];
  if (UNINDEXED.has(name)) return [];
  if (FIELDS.has(name) || name === "name" || name === "category" || name === "node" || name === "scope")
    return wordsOf(value);
  return [pairWord(key, value)];
}

const hashes = new Map<string, string>();

/** One word for a key with its value. */
function pairWord(key: string, value: string): string {
  const text = `${key}=${value.toLowerCase()}`;
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const word = `zzp${xxHash32(encoder.encode(text), 0).toString(36)}`;
  if (hashes.size >= HASHES_MAX) hashes.clear();
  if (text.length <= HASHED_TEXT_MAX) hashes.set(text, word);
  return word;
}

const encoder = new TextEncoder();
const HASHED_TEXT_MAX = 200;
