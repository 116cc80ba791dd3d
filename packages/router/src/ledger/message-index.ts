import type { Place } from "../log/log-deps.ts";

/** Messages of a chunk. */
const CHUNK = 1_024;
/** How many it has room for at first: of ten thousand queues, most have a few. */
const ROOM_MIN = 16;
/** Of each: segment, offset, length with a flag, milliseconds from the first acceptance of its chunk. */
const WORDS = 4;
const LENGTH_MASK = 2 ** 28 - 1;
const TAKEN = 2 ** 31;

interface Chunk {
  /** Of a part of it, which grows to what is put. */
  words: Uint32Array;
  /** Which message of it comes first there. */
  from: number;
  /** Milliseconds since 1970. */
  readonly baseMs: number;
  /** When each was accepted, of a chunk where that is further from the first than a word says; null for all others. */
  exact: Float64Array | null;
  count: number;
}

/**
 * Where each message of an address is: 16 bytes a message and no objects, as there may be ten million of them. A message
 * is ready or taken, and gone once it is removed.
 */
export class MessageIndex {
  readonly #chunks = new Map<number, Chunk>();
  /** No message is before it. */
  #low = 0;
  /** No message is at it or after it. */
  #high = 0;
  #count = 0;
  #bytes = 0;
  /** What was looked at last lies beside what comes next. */
  #lastKey = -1;
  #last: Chunk | null = null;
  /** Of a chunk that is empty, for the next one: a queue may be empty after each message. */
  #spare: Uint32Array | null = null;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a message that is ready; where there was one of this sequence, it has moved. */
  put(sequence: number, { segment, offset, length }: Place, acceptedAtMs: number): void {
    const key = Math.floor(sequence / CHUNK);
    const index = sequence - key * CHUNK;
    let chunk = this.#chunk(key);
    if (chunk === null) {
      const from = index - (index % ROOM_MIN);
      const words = this.#spare ?? new Uint32Array(ROOM_MIN * WORDS);
      this.#spare = null;
      chunk = { words, from, baseMs: acceptedAtMs, exact: null, count: 0 };
      this.#chunks.set(key, chunk);
      this.#lastKey = key;
      this.#last = chunk;
    }
    if (slotOf(chunk, index) === -1) makeRoom(chunk, index);
    const { words } = chunk;
    const at = slotOf(chunk, index);
    if (words[at] === 0) {
      chunk.count++;
      if (this.#count++ === 0) this.#low = sequence;
    } else this.#bytes -= (words[at + 2] as number) & LENGTH_MASK;
    const taken = words[at] === 0 ? 0 : (words[at + 2] as number) & TAKEN;
    words[at] = segment;
    words[at + 1] = offset;
    words[at + 2] = length | taken;
    const sinceMs = acceptedAtMs - chunk.baseMs;
    // Enough for 49 days, and for what comes in its order.
    if (chunk.exact === null && sinceMs >= 0 && sinceMs < 2 ** 32) words[at + 3] = sinceMs;
    else exactOf(chunk)[index] = acceptedAtMs;
    this.#bytes += length;
    if (sequence < this.#low) this.#low = sequence;
    if (sequence >= this.#high) this.#high = sequence + 1;
  }

  place(sequence: number): Place | null {
    const chunk = this.#chunk(Math.floor(sequence / CHUNK));
    const at = chunk === null ? -1 : slotOf(chunk, sequence % CHUNK);
    if (chunk === null || at === -1) return null;
    const { words } = chunk;
    if (words[at] === 0) return null;
    return {
      segment: words[at] as number,
      offset: words[at + 1] as number,
      length: (words[at + 2] as number) & LENGTH_MASK,
    };
  }

  /** When a message was accepted, milliseconds since 1970; null where it is gone. */
  acceptedAtMs(sequence: number): number | null {
    const chunk = this.#chunk(Math.floor(sequence / CHUNK));
    const at = chunk === null ? -1 : slotOf(chunk, sequence % CHUNK);
    if (chunk === null || at === -1 || chunk.words[at] === 0) return null;
    return chunk.exact?.[sequence % CHUNK] ?? chunk.baseMs + (chunk.words[at + 3] as number);
  }

  isReady(sequence: number): boolean {
    const chunk = this.#chunk(Math.floor(sequence / CHUNK));
    const at = chunk === null ? -1 : slotOf(chunk, sequence % CHUNK);
    return chunk !== null && at !== -1 && chunk.words[at] !== 0 && (chunk.words[at + 2] as number) < TAKEN;
  }

  take(sequence: number): void {
    this.#flag(sequence, true);
  }

  giveBack(sequence: number): void {
    this.#flag(sequence, false);
  }

  /** @returns where the message was; null where it is gone already. */
  remove(sequence: number): Place | null {
    const place = this.place(sequence);
    if (place === null) return null;
    const key = Math.floor(sequence / CHUNK);
    const chunk = this.#chunks.get(key) as Chunk;
    chunk.words[slotOf(chunk, sequence % CHUNK)] = 0;
    this.#count--;
    this.#bytes -= place.length;
    if (--chunk.count === 0) {
      this.#chunks.delete(key);
      if (chunk.words.length === ROOM_MIN * WORDS) this.#spare = chunk.words;
      this.#lastKey = -1;
      this.#last = null;
    }
    return place;
  }

  /** The first message from a sequence on that is ready; null for none. */
  nextReady(from: number): number | null {
    return this.#next(from, TAKEN);
  }

  /** The first message from a sequence on, ready or taken; null for none. */
  next(from: number): number | null {
    return this.#next(from, 2 ** 32);
  }

  /** The oldest message; null for none. */
  first(): number | null {
    const first = this.#count === 0 ? null : this.next(this.#low);
    if (first !== null) this.#low = first;
    return first;
  }

  #next(from: number, below: number): number | null {
    if (this.#count === 0) return null;
    for (let sequence = Math.max(from, this.#low); sequence < this.#high;) {
      const key = Math.floor(sequence / CHUNK);
      const chunk = this.#chunk(key);
      const end = (key + 1) * CHUNK;
      if (chunk === null) {
        sequence = end;
        continue;
      }
      const { words, from: first } = chunk;
      for (let at = Math.max(0, sequence - key * CHUNK - first) * WORDS; at < words.length; at += WORDS) {
        if (words[at] !== 0 && (words[at + 2] as number) < below) return key * CHUNK + first + at / WORDS;
      }
      sequence = end;
    }
    return null;
  }

  #flag(sequence: number, taken: boolean): void {
    const chunk = this.#chunk(Math.floor(sequence / CHUNK));
    const at = chunk === null ? -1 : slotOf(chunk, sequence % CHUNK);
    if (chunk === null || at === -1) return;
    chunk.words[at + 2] = ((chunk.words[at + 2] as number) & LENGTH_MASK) + (taken ? TAKEN : 0);
  }

  #chunk(key: number): Chunk | null {
    if (key === this.#lastKey) return this.#last;
    const chunk = this.#chunks.get(key) ?? null;
    if (chunk !== null) {
      this.#lastKey = key;
      this.#last = chunk;
    }
    return chunk;
  }
}

/** Where the words of a message of a chunk begin; -1 where it has no room for it, and so not the message. */
function slotOf({ words, from }: Chunk, index: number): number {
  const at = (index - from) * WORDS;
  return at >= 0 && at < words.length ? at : -1;
}

/** Makes room for a message, and for as many more as there are. */
function makeRoom(chunk: Chunk, index: number): void {
  const room = chunk.words.length / WORDS;
  // What comes before the first comes once in a while, as the log has moved it.
  const from = index < chunk.from ? 0 : chunk.from;
  const needed = Math.max(index + 1, chunk.from + room) - from;
  const words = new Uint32Array(Math.min(CHUNK - from, Math.max(needed, room * 2)) * WORDS);
  words.set(chunk.words, (chunk.from - from) * WORDS);
  chunk.words = words;
  chunk.from = from;
}

function exactOf(chunk: Chunk): Float64Array {
  const { words, baseMs, from } = chunk;
  chunk.exact ??= Float64Array.from({ length: CHUNK }, (_, index) => baseMs + (words[(index - from) * WORDS + 3] ?? 0));
  return chunk.exact;
}
