import type { Draft, Identity } from "./message.ts";

/** A message that is to be accepted at its address. */
export interface Entry {
  /** Of this outbox, rising. */
  readonly id: number;
  readonly to: string;
  readonly draft: Draft;
  readonly sinceMs: number;
  identity: Identity;
  /** Whether a released message keeps its number: it is the only one of its producer. */
  readonly isAlone: boolean;
  /** Whether it is where it is kept; nothing after it is sent before. */
  isStored: boolean;
  /** When it was sent last, where it was. */
  sentAtMs: number;
  accepted(): void;
  failed(error: Error): void;
}

/**
 * What waits for one address, in the order in which it is to be accepted. The router drops what is not above the last
 * number of its producer: so nothing overtakes, and what was on its way when a link was lost goes again before all else.
 */
export class Lane {
  #waiting: Entry[] = [];
  /** Where in `#waiting` the first one is: to move all others up for each that goes would cost as many as wait. */
  #head = 0;
  readonly #sent = new Map<number, Entry>();

  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  get unsettled(): number {
    return this.#sent.size;
  }

  get isEmpty(): boolean {
    return this.waiting === 0 && this.#sent.size === 0;
  }

  /** Since when the oldest message waits, or waits for its outcome; null where none does. */
  get oldestMs(): number | null {
    const [first] = this.#sent.values();
    return first?.sinceMs ?? this.#waiting[this.#head]?.sinceMs ?? null;
  }

  get oldestUnsettledMs(): number | null {
    const [first] = this.#sent.values();
    return first?.sentAtMs ?? null;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
  }

  /** The next to be sent; null where there is none, or it is not stored yet. */
  next(): Entry | null {
    const first = this.#waiting[this.#head];
    return first?.isStored === true ? first : null;
  }

  /** Notes that the next one was sent. */
  sent(entry: Entry, nowMs: number): void {
    this.#head++;
    // What is gone is let go of when it is half of all.
    if (this.#head > 1_000 && this.#head * 2 > this.#waiting.length) this.#compact();
    entry.sentAtMs = nowMs;
    this.#sent.set(entry.id, entry);
  }

  /** Notes that an entry is over: accepted, or given up. False where it is not here. */
  done(entry: Entry): boolean {
    if (this.#sent.delete(entry.id)) return true;
    const at = this.#waiting.indexOf(entry, this.#head);
    if (at !== -1) this.#waiting.splice(at, 1);
    return at !== -1;
  }

  /** Whether an entry was sent and its outcome is not known. */
  isSent(entry: Entry): boolean {
    return this.#sent.has(entry.id);
  }

  /**
   * An entry was given back. What was sent after it may be accepted already, and its own number would be dropped: it goes
   * last, with the new one.
   */
  released(entry: Entry, renumber: () => Identity): void {
    if (!this.#sent.delete(entry.id)) return;
    if (!entry.isAlone) entry.identity = renumber();
    this.#waiting.push(entry);
  }

  /** The link was lost: what was on its way goes first, in its order. */
  lost(): void {
    this.#compact();
    this.#waiting = [...this.#sent.values(), ...this.#waiting];
    this.#sent.clear();
  }

  /** Takes out all. */
  clear(): readonly Entry[] {
    this.lost();
    return this.#waiting.splice(0);
  }

  #compact(): void {
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}
