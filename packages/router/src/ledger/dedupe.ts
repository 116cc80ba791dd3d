import type { MessageKeys } from "../log/record.ts";

/** How long the last sequence of a producer is remembered (section 4, promise 7). */
const PRODUCER_MS = 86_400_000;
/** How many of each are remembered: beyond, the oldest is forgotten. */
const PRODUCERS_MAX = 10_000;
const IDS_MAX = 100_000;

/** What of it outlives a restart. */
export interface DedupeSnapshot {
  readonly producers: readonly (readonly [name: string, sequence: number, atMs: number])[];
  readonly ids: readonly (readonly [id: string, atMs: number])[];
}

/** What an address has accepted lately, so that it is accepted once. */
export class Dedupe {
  /** How long a `message-id` is remembered; null: not at all. */
  windowMs: number | null;
  /** Both in the order of time. */
  readonly #producers = new Map<string, { readonly sequence: number; readonly atMs: number }>();
  readonly #ids = new Map<string, number>();

  /** @param windowMs how long a `message-id` is remembered; null: not at all. */
  constructor(windowMs: number | null) {
    this.windowMs = windowMs;
  }

  get isEmpty(): boolean {
    return this.#producers.size === 0 && this.#ids.size === 0;
  }

  /** Whether ids count. */
  get knowsIds(): boolean {
    return this.windowMs !== null;
  }

  /** The last sequence of a producer that was accepted; 0 for none. */
  lastOf(producer: string): number {
    return this.#producers.get(producer)?.sequence ?? 0;
  }

  /** Whether a message was accepted before. */
  has({ producer, id }: MessageKeys, nowMs: number): boolean {
    if (producer !== undefined) {
      const last = this.#producers.get(producer.name);
      if (last !== undefined && nowMs - last.atMs < PRODUCER_MS && producer.sequence <= last.sequence) return true;
    }
    if (id === undefined || this.windowMs === null) return false;
    const atMs = this.#ids.get(id);
    return atMs !== undefined && nowMs - atMs < this.windowMs;
  }

  /** Remembers a message that is being accepted. */
  add({ producer, id }: MessageKeys, nowMs: number): void {
    if (producer !== undefined) {
      const before = this.#producers.get(producer.name);
      this.#producers.delete(producer.name);
      // What the log has moved comes again in another order.
      const sequence = Math.max(producer.sequence, before?.sequence ?? 0);
      this.#producers.set(producer.name, { sequence, atMs: Math.max(nowMs, before?.atMs ?? 0) });
      if (this.#producers.size > PRODUCERS_MAX) this.#producers.delete(this.#producers.keys().next().value ?? "");
    }
    if (id === undefined || this.windowMs === null) return;
    this.#ids.delete(id);
    this.#ids.set(id, nowMs);
    if (this.#ids.size > IDS_MAX) this.#ids.delete(this.#ids.keys().next().value ?? "");
  }

  /** Forgets what is too old to matter. */
  prune(nowMs: number): void {
    for (const [name, { atMs }] of this.#producers) {
      if (nowMs - atMs < PRODUCER_MS) break;
      this.#producers.delete(name);
    }
    for (const [id, atMs] of this.#ids) {
      if (nowMs - atMs < (this.windowMs ?? 0)) break;
      this.#ids.delete(id);
    }
  }

  snapshot(): DedupeSnapshot {
    return {
      producers: [...this.#producers].map(([name, { sequence, atMs }]) => [name, sequence, atMs] as const),
      ids: [...this.#ids],
    };
  }

  /** @param nowMs what was accepted later, as the clock was ahead, counts as accepted then. */
  restore({ producers, ids }: DedupeSnapshot, nowMs: number): void {
    for (const [name, sequence, atMs] of producers) this.add({ producer: { name, sequence } }, Math.min(atMs, nowMs));
    for (const [id, atMs] of ids) this.add({ id }, Math.min(atMs, nowMs));
  }
}
