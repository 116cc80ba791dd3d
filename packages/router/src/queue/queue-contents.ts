import { BURIALS_MAX, Burials } from "./burials.ts";
import { type DeadLetters, EXPIRY_RETRY_MS, type QueueConfig } from "./delivery.ts";
import { DurableEnd } from "./durable-end.ts";
import { Expiries } from "../ledger/expiries.ts";
import { MessageIndex } from "../ledger/message-index.ts";
import { SequenceHeap } from "../ledger/sequence-heap.ts";
import type { MessageTimes, NewMessage, Place, QueueDeps } from "./storage.ts";

/** What of a queue outlives a restart, beside its messages. */
export interface QueueSnapshot {
  readonly next: number;
  /** Failed deliveries by sequence. */
  readonly failures: readonly (readonly [sequence: number, deliveries: number])[];
}

/** The messages of a queue: which there are, which of them are ready, and what is read of them from the log. */
export abstract class QueueContents {
  protected readonly config: QueueConfig;
  protected readonly deps: QueueDeps;
  protected readonly burials: Burials;
  protected readonly index = new MessageIndex();
  protected readonly failures = new Map<number, number>();
  protected readonly durable: DurableEnd;
  protected readonly expiries = new Expiries((sequence) => this.index.place(sequence) !== null);
  readonly #deadLetters: DeadLetters;
  /** What was taken and is ready again. */
  readonly #returned = new SequenceHeap();
  /** Nothing from here on was taken by a consumer without a filter. */
  #cursor = 0;

  constructor(config: QueueConfig, deps: QueueDeps, deadLetters: DeadLetters) {
    this.config = config;
    this.deps = deps;
    this.#deadLetters = deadLetters;
    this.burials = new Burials({
      ...deps,
      placeOf: (sequence) => this.placeOf(sequence),
      bury: (dead) => deadLetters.bury(dead),
      emptied: () => deps.later(() => this.expireDue()),
    });
    this.durable = new DurableEnd(deps.storage, 1);
  }

  get messages(): number {
    return this.index.count;
  }

  get bytes(): number {
    return this.index.bytes;
  }

  /** When the oldest message was accepted; null for an empty queue. */
  get oldestAtMs(): number | null {
    const first = this.index.first();
    return first === null ? null : this.index.acceptedAtMs(first);
  }

  /** Appends a message; it is given to consumers when it is durable. @returns its sequence. */
  append(message: NewMessage): number {
    const sequence = this.durable.add(() => this.pump());
    const { acceptedAtMs, ttlMs } = message;
    this.index.put(sequence, this.deps.storage.append(sequence, message), acceptedAtMs);
    if (ttlMs > 0) this.expiries.add(acceptedAtMs + ttlMs, sequence);
    return sequence;
  }

  /** Makes room for a message by dropping the oldest one that no consumer has. @returns whether there was one. */
  dropOldest(): boolean {
    const sequence = this.index.nextReady(0);
    if (sequence === null) return false;
    this.#forget(sequence);
    // Unlike what was settled, it may not be durable yet.
    this.deps.storage.removed(sequence, 1);
    return true;
  }

  /** Drops everything that no consumer has. @returns how many messages. */
  purge(): number {
    let count = 0;
    while (this.dropOldest()) count++;
    return count;
  }

  /** Drops the messages whose time is over, wherever they are, though nobody takes them. */
  expireDue(): void {
    const nowMs = this.deps.nowMs();
    for (let looked = 0; looked < LOOKS_MAX; looked++) {
      // It is called again once these are buried.
      if (this.burials.size >= BURIALS_MAX) return;
      const sequence = this.expiries.takeDue(nowMs);
      if (sequence === null) return;
      if (this.index.isReady(sequence) && sequence < this.durable.end) this.expire(sequence);
      // It may be given back, or is not safe yet.
      else if (this.index.place(sequence) !== null) this.expiries.add(nowMs + EXPIRY_RETRY_MS, sequence);
    }
    this.deps.later(() => this.expireDue());
  }

  protected expire(sequence: number): void {
    this.index.take(sequence);
    if (this.config.expired === "drop") return this.#expired(sequence);
    this.burials.add(sequence, "expired", {
      buried: () => this.#expired(sequence),
      stays: () => {
        this.giveBack(sequence);
        this.expiries.add(this.deps.nowMs() + EXPIRY_RETRY_MS, sequence);
      },
      gone: () => {},
    });
  }

  #expired(sequence: number): void {
    this.#deadLetters.expired();
    this.settled(sequence);
  }

  /** Puts a message that a consumer had back into its place. */
  protected abstract giveBack(sequence: number): void;

  /** Gives messages to those who want them. */
  abstract pump(): void;

  // What is read from the log at a start, in its order.

  restoreMessage(sequence: number, place: Place, { acceptedAtMs, ttlMs }: MessageTimes): void {
    const before = this.index.place(sequence);
    if (before !== null) this.deps.storage.release(before);
    this.index.put(sequence, place, acceptedAtMs);
    if (ttlMs > 0 && before === null) this.expiries.add(acceptedAtMs + ttlMs, sequence);
    this.durable.restore(sequence + 1);
  }

  restoreSettled(from: number, length: number): void {
    for (let sequence = from; sequence < from + length; sequence++) this.#forget(sequence);
  }

  restoreFailed(sequence: number, deliveries: number): void {
    if (this.index.place(sequence) !== null) this.failures.set(sequence, deliveries);
  }

  restoreSnapshot({ next, failures }: QueueSnapshot): void {
    this.durable.restore(next);
    // Their messages may come later in the log, where they were moved to.
    for (const [sequence, deliveries] of failures) this.failures.set(sequence, deliveries);
  }

  /** The log was read to its end. */
  restored(): void {
    for (const sequence of this.failures.keys()) {
      if (this.index.place(sequence) === null) this.failures.delete(sequence);
    }
  }

  snapshot(): QueueSnapshot {
    return { next: this.durable.next, failures: [...this.failures] };
  }

  /** Where a message is, for moving it; null where it is gone. */
  placeOf(sequence: number): Place | null {
    return this.index.place(sequence);
  }

  moved(sequence: number, place: Place): void {
    const at = this.index.acceptedAtMs(sequence);
    if (at !== null) this.index.put(sequence, place, at);
  }

  /** Forgets everything: the queue is removed. */
  discard(): void {
    for (let sequence = this.index.next(0); sequence !== null; sequence = this.index.next(sequence + 1)) {
      this.#forget(sequence);
    }
    this.failures.clear();
  }

  /** The first message that is ready; null for none. */
  protected nextForAll(): number | null {
    for (let sequence = this.#returned.peek(); sequence !== undefined; sequence = this.#returned.peek()) {
      this.#returned.pop();
      // What a filter took from further on has its turn when the cursor comes there.
      if (sequence < this.#cursor && this.index.isReady(sequence)) return sequence;
    }
    const sequence = this.nextFrom(this.#cursor);
    if (sequence !== null) this.#cursor = sequence + 1;
    return sequence;
  }

  /** The first message from a sequence on that is ready, and durable. */
  protected nextFrom(from: number): number | null {
    const sequence = this.index.nextReady(from);
    return sequence === null || sequence >= this.durable.end ? null : sequence;
  }

  protected ready(sequence: number): void {
    this.index.giveBack(sequence);
    this.#returned.push(sequence);
  }

  protected failuresOf(sequence: number): number {
    return this.failures.get(sequence) ?? 0;
  }

  protected settled(sequence: number): void {
    this.#forget(sequence);
    this.deps.storage.settled(0, sequence);
  }

  #forget(sequence: number): void {
    this.failures.delete(sequence);
    const place = this.index.remove(sequence);
    if (place !== null) this.deps.storage.release(place);
  }
}

/** How many messages that have expired are looked at before others have their turn. */
const LOOKS_MAX = 1_000;
