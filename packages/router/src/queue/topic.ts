import type { From } from "../address/from.ts";
import type { Range } from "../log/record.ts";
import { BURIALS_MAX, Burials } from "./burials.ts";
import { type ConsumerPort, type DeadLetters, EXPIRY_RETRY_MS } from "./delivery.ts";
import { DurableEnd } from "./durable-end.ts";
import { Expiries } from "../ledger/expiries.ts";
import { MessageIndex } from "../ledger/message-index.ts";
import { offsetOf } from "../ledger/offset-of.ts";
import { rangesOf } from "../ledger/ranges.ts";
import type { MessageTimes, NewMessage, Place, QueueDeps } from "./storage.ts";
import { Subscription, type SubscriptionSnapshot, type TopicView } from "./subscription.ts";
import type { TopicConfig, TopicSnapshot } from "./topic-config.ts";

/**
 * Messages in the order of their acceptance, each of them for every subscription, kept for as long as retention says.
 */
export class Topic {
  readonly #config: TopicConfig;
  readonly #deps: QueueDeps;
  readonly #index = new MessageIndex();
  readonly #expiries = new Expiries((sequence) => this.#index.place(sequence) !== null);
  readonly #deadLetters: DeadLetters;
  readonly #durable: DurableEnd;
  readonly #burials: Burials;
  readonly #view: TopicView;
  readonly #subscriptions = new Set<Subscription>();
  readonly #byId = new Map<number, Subscription>();
  #lastId = 0;

  constructor(config: TopicConfig, deps: QueueDeps, deadLetters: DeadLetters) {
    this.#config = config;
    this.#deps = deps;
    this.#deadLetters = deadLetters;
    this.#durable = new DurableEnd(deps.storage, 1);
    this.#burials = new Burials({
      ...deps,
      placeOf: (sequence) => this.placeOf(sequence),
      bury: (dead) => deadLetters.bury(dead),
      emptied: () => deps.later(() => this.expireDue()),
    });
    this.#view = {
      index: this.#index,
      deps,
      config,
      end: () => this.#durable.end,
      burials: this.#burials,
    };
  }

  get messages(): number {
    return this.#index.count;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  get oldestAtMs(): number | null {
    const first = this.#index.first();
    return first === null ? null : this.#index.acceptedAtMs(first);
  }

  get subscriptions(): ReadonlySet<Subscription> {
    return this.#subscriptions;
  }

  get unsettled(): number {
    let count = 0;
    for (const { unsettled } of this.#subscriptions) count += unsettled.size;
    return count;
  }

  /** Whether a durable subscription keeps more bytes than retention allows. */
  get isHeldBack(): boolean {
    const { bytes } = this.#config.retention;
    return bytes !== null && this.#index.bytes > bytes && !this.#config.dropsUnread;
  }

  /** Appends a message; subscriptions get it when it is durable. @returns its offset. */
  append(message: NewMessage): number {
    const sequence = this.#durable.add(() => this.#pumpAll());
    const { acceptedAtMs, ttlMs } = message;
    this.#index.put(sequence, this.#deps.storage.append(sequence, message), acceptedAtMs);
    if (ttlMs > 0) this.#expiries.add(acceptedAtMs + ttlMs, sequence);
    this.trim();
    return sequence;
  }

  /** A subscription that ends with its link. */
  subscribe(from: From, port: ConsumerPort): Subscription {
    const subscription = new Subscription(
      { id: 0, key: null, from: offsetOf(from, this.#index, this.#durable.next) },
      this.#view,
    );
    this.#subscriptions.add(subscription);
    subscription.attach(port);
    return subscription;
  }

  /** The subscription that is kept for somebody; null for none. */
  find(key: string): Subscription | null {
    for (const known of this.#byId.values()) if (known.key === key) return known;
    return null;
  }

  /** A subscription that is kept until it is closed; it begins where it was left, or as `from` says where it is new. */
  resume(key: string, from: From): { readonly subscription: Subscription; readonly isNew: boolean } {
    const known = this.find(key);
    if (known !== null) return { subscription: known, isNew: false };
    const subscription = new Subscription(
      { id: ++this.#lastId, key, from: offsetOf(from, this.#index, this.#durable.next) },
      this.#view,
    );
    this.#subscriptions.add(subscription);
    this.#byId.set(subscription.id, subscription);
    return { subscription, isNew: true };
  }

  /** Ends a subscription for good. */
  end(subscription: Subscription): void {
    subscription.detach();
    this.#subscriptions.delete(subscription);
    this.#byId.delete(subscription.id);
    this.trim();
  }

  /** Drops what retention does not keep any more. */
  trim(): void {
    const { retention, dropsUnread } = this.#config;
    let needed = this.#durable.end;
    if (!dropsUnread) for (const { id, floor } of this.#subscriptions) if (id > 0) needed = Math.min(needed, floor);
    const oldestMs = retention.ageMs === null ? null : this.#deps.nowMs() - retention.ageMs;
    const dropped: number[] = [];
    for (let first = this.#index.first(); first !== null && first < needed; first = this.#index.first()) {
      const isOld = oldestMs !== null && (this.#index.acceptedAtMs(first) ?? 0) < oldestMs;
      const isMuch = retention.bytes !== null && this.#index.bytes > retention.bytes;
      if (!isOld && !isMuch) break;
      this.#remove(first);
      dropped.push(first);
    }
    const last = dropped.at(-1);
    if (last !== undefined) this.#dropped(dropped, last + 1);
  }

  /** Drops the messages whose time is over, wherever they are: no subscription gets them any more. */
  expireDue(): void {
    const nowMs = this.#deps.nowMs();
    const dropped: number[] = [];
    let looked = 0;
    // What waits to be buried goes on here once it is.
    for (; looked < LOOKS_MAX && this.#burials.size < BURIALS_MAX; looked++) {
      const sequence = this.#expiries.takeDue(nowMs);
      if (sequence === null) break;
      if (this.#index.place(sequence) === null) continue;
      if (sequence >= this.#durable.end) this.#expiries.add(nowMs + EXPIRY_RETRY_MS, sequence);
      else if (this.#config.expired === "drop") dropped.push(sequence);
      else this.#expireToDead(sequence);
    }
    this.#expire(dropped.sort((a, b) => a - b));
    if (looked === LOOKS_MAX) this.#deps.later(() => this.expireDue());
  }

  /** Drops everything. @returns how many messages. */
  purge(): number {
    const dropped: number[] = [];
    for (let sequence = this.#index.first(); sequence !== null; sequence = this.#index.first()) {
      this.#remove(sequence);
      dropped.push(sequence);
    }
    if (dropped.length > 0) this.#dropped(dropped, this.#durable.next);
    return dropped.length;
  }

  // What the log tells when it is read again, in its order.

  restoreMessage(sequence: number, place: Place, { acceptedAtMs, ttlMs }: MessageTimes): void {
    const before = this.#index.place(sequence);
    if (before !== null) this.#deps.storage.release(before);
    this.#index.put(sequence, place, acceptedAtMs);
    if (ttlMs > 0 && before === null) this.#expiries.add(acceptedAtMs + ttlMs, sequence);
    this.#durable.restore(sequence + 1);
  }

  restoreSettled(subscription: number, from: number, length: number): void {
    if (subscription > 0) return this.#byId.get(subscription)?.restoreSettled(from, length);
    const dropped = this.#removeRange({ from, length });
    for (const one of this.#byId.values()) one.trimmed(from + length, rangesOf(dropped));
  }

  restoreExpired(range: Range): void {
    for (const sequence of this.#removeRange(range))
      for (const subscription of this.#byId.values()) subscription.expired(sequence);
  }

  restoreFailed(subscription: number, sequence: number, deliveries: number): void {
    this.#byId.get(subscription)?.restoreFailed(sequence, deliveries);
  }

  restoreSubscription({ id, key, floor, above, failures, missed = 0, selector }: SubscriptionSnapshot): void {
    const subscription = new Subscription({ id, key, from: floor }, this.#view);
    subscription.selector = selector;
    for (const [from, end] of above) subscription.restoreSettled(from, end - from);
    for (const [sequence, deliveries] of failures) subscription.restoreFailed(sequence, deliveries);
    subscription.restoreMissed(missed);
    const before = this.#byId.get(id);
    if (before !== undefined) this.#subscriptions.delete(before);
    this.#subscriptions.add(subscription);
    this.#byId.set(id, subscription);
    this.#lastId = Math.max(this.#lastId, id);
  }

  restoreEnd(id: number): void {
    const subscription = this.#byId.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(subscription);
    this.#byId.delete(id);
  }

  restoreSnapshot({ next, subscriptions }: TopicSnapshot): void {
    this.#durable.restore(next);
    for (const subscription of subscriptions) this.restoreSubscription(subscription);
  }

  snapshot(): TopicSnapshot {
    return { next: this.#durable.next, subscriptions: [...this.#byId.values()].map((one) => one.snapshot()) };
  }

  placeOf(sequence: number): Place | null {
    return this.#index.place(sequence);
  }

  moved(sequence: number, place: Place): void {
    const at = this.#index.acceptedAtMs(sequence);
    if (at !== null) this.#index.put(sequence, place, at);
  }

  discard(): void {
    for (let sequence = this.#index.first(); sequence !== null; sequence = this.#index.first()) this.#remove(sequence);
    this.#subscriptions.clear();
    this.#byId.clear();
  }

  #remove(sequence: number): void {
    const place = this.#index.remove(sequence);
    if (place !== null) this.#deps.storage.release(place);
  }

  /** @returns which there were. */
  #removeRange({ from, length }: Range): number[] {
    const removed: number[] = [];
    for (
      let sequence = this.#index.next(from);
      sequence !== null && sequence < from + length;
      sequence = this.#index.next(sequence)
    ) {
      this.#remove(sequence);
      removed.push(sequence);
    }
    return removed;
  }

  /** Everything before `end` is gone, and these messages were there until now. */
  #dropped(sequences: readonly number[], end: number): void {
    const from = sequences[0] as number;
    this.#deps.storage.removed(from, end - from);
    const ranges = rangesOf(sequences);
    for (const subscription of this.#subscriptions) subscription.trimmed(end, ranges);
  }

  #expire(sequences: readonly number[]): void {
    if (sequences.length === 0) return;
    for (const sequence of sequences) {
      this.#remove(sequence);
      this.#deadLetters.expired();
      for (const subscription of this.#subscriptions) subscription.expired(sequence);
    }
    this.#deps.storage.expired(rangesOf(sequences));
  }

  #expireToDead(sequence: number): void {
    this.#burials.add(sequence, "expired", {
      buried: () => this.#expire([sequence]),
      stays: () => this.#expiries.add(this.#deps.nowMs() + EXPIRY_RETRY_MS, sequence),
      gone: () => {},
    });
  }

  #pumpAll(): void {
    for (const subscription of this.#subscriptions) subscription.pump();
  }
}

/** How many messages are looked at in a row before others have their turn. */
const LOOKS_MAX = 1_000;
