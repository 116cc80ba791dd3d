import type { From } from "../address/from.ts";
import type { ConsumerPort, Dead } from "./delivery.ts";
import { DurableEnd } from "./durable-end.ts";
import { MessageIndex } from "./message-index.ts";
import type { NewMessage, Place, QueueDeps } from "./storage.ts";
import { Subscription, type SubscriptionSnapshot, type TopicView } from "./subscription.ts";

/** How a topic keeps its messages; null for no bound. */
export interface TopicConfig {
  readonly maxDeliveries: number;
  readonly retention: { readonly ageMs: number | null; readonly bytes: number | null };
  /** Whether what a durable subscription has not read goes too, and it is told how much that was. */
  readonly dropsUnread: boolean;
}

/** What of a topic outlives a restart, beside its messages. */
export interface TopicSnapshot {
  readonly next: number;
  readonly subscriptions: readonly SubscriptionSnapshot[];
}

/** Messages in the order of their acceptance, all of them for each subscription, kept as long as retention says. */
export class Topic {
  readonly #config: TopicConfig;
  readonly #deps: QueueDeps;
  readonly #index = new MessageIndex();
  readonly #durable: DurableEnd;
  readonly #view: TopicView;
  readonly #subscriptions = new Set<Subscription>();
  readonly #byId = new Map<number, Subscription>();
  #lastId = 0;

  constructor(config: TopicConfig, deps: QueueDeps, deadLetters: { bury(dead: Dead): void }) {
    this.#config = config;
    this.#deps = deps;
    this.#durable = new DurableEnd(deps.storage, 1);
    this.#view = {
      index: this.#index,
      deps,
      maxDeliveries: config.maxDeliveries,
      end: () => this.#durable.end,
      bury: (dead) => deadLetters.bury(dead),
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

  /** Bytes that a durable subscription keeps back beyond what retention allows. */
  get isHeldBack(): boolean {
    const { bytes } = this.#config.retention;
    return bytes !== null && this.#index.bytes > bytes && !this.#config.dropsUnread;
  }

  /** Appends a message; subscriptions get it when it is durable. @returns its offset. */
  append(message: NewMessage): number {
    const sequence = this.#durable.add(() => this.#pumpAll());
    this.#index.put(sequence, this.#deps.storage.append(sequence, message), message.acceptedAtMs);
    this.trim();
    return sequence;
  }

  /** A subscription that ends with its link. */
  subscribe(from: From, port: ConsumerPort): Subscription {
    const subscription = new Subscription({ id: 0, key: null, from: this.#offsetOf(from) }, this.#view);
    this.#subscriptions.add(subscription);
    subscription.attach(port);
    return subscription;
  }

  /** A subscription that is kept until it is closed; it begins where it was left, or as `from` says where it is new. */
  resume(key: string, from: From): { readonly subscription: Subscription; readonly isNew: boolean } {
    for (const known of this.#subscriptions) if (known.key === key) return { subscription: known, isNew: false };
    const subscription = new Subscription({ id: ++this.#lastId, key, from: this.#offsetOf(from) }, this.#view);
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
    let [from, end] = [-1, -1];
    for (let first = this.#index.first(); first !== null && first < needed; first = this.#index.first()) {
      const isOld = oldestMs !== null && (this.#index.acceptedAtMs(first) ?? 0) < oldestMs;
      const isMuch = retention.bytes !== null && this.#index.bytes > retention.bytes;
      if (!isOld && !isMuch) break;
      const place = this.#index.remove(first);
      if (place !== null) this.#deps.storage.release(place);
      if (from === -1) from = first;
      end = first + 1;
    }
    if (from !== -1) this.#dropped({ from, end });
  }

  /** Drops everything. @returns how many messages. */
  purge(): number {
    const [first, { count }] = [this.#index.first(), this.#index];
    if (first === null) return 0;
    for (let sequence = this.#index.first(); sequence !== null; sequence = this.#index.first()) {
      const place = this.#index.remove(sequence);
      if (place !== null) this.#deps.storage.release(place);
    }
    this.#dropped({ from: first, end: this.#durable.next });
    return count;
  }

  // What the log tells when it is read again, in its order.

  restoreMessage(sequence: number, place: Place, acceptedAtMs: number): void {
    const before = this.#index.place(sequence);
    if (before !== null) this.#deps.storage.release(before);
    this.#index.put(sequence, place, acceptedAtMs);
    this.#durable.restore(sequence + 1);
  }

  restoreSettled(subscription: number, from: number, length: number): void {
    if (subscription > 0) return this.#byId.get(subscription)?.restoreSettled(from, length);
    for (
      let sequence = this.#index.next(from);
      sequence !== null && sequence < from + length;
      sequence = this.#index.next(sequence)
    ) {
      const place = this.#index.remove(sequence);
      if (place !== null) this.#deps.storage.release(place);
    }
  }

  restoreFailed(subscription: number, sequence: number, deliveries: number): void {
    this.#byId.get(subscription)?.restoreFailed(sequence, deliveries);
  }

  restoreSubscription({ id, key, floor, above, failures }: SubscriptionSnapshot): void {
    const subscription = new Subscription({ id, key, from: floor }, this.#view);
    for (const [from, end] of above) subscription.restoreSettled(from, end - from);
    for (const [sequence, deliveries] of failures) subscription.restoreFailed(sequence, deliveries);
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
    for (let sequence = this.#index.first(); sequence !== null; sequence = this.#index.first()) {
      const place = this.#index.remove(sequence);
      if (place !== null) this.#deps.storage.release(place);
    }
    this.#subscriptions.clear();
    this.#byId.clear();
  }

  #dropped({ from, end }: { readonly from: number; readonly end: number }): void {
    this.#deps.storage.removed(from, end - from);
    // Each offset was a message.
    for (const subscription of this.#subscriptions)
      subscription.trimmed(end, (position) => end - Math.max(position, from));
  }

  #pumpAll(): void {
    for (const subscription of this.#subscriptions) subscription.pump();
  }

  #offsetOf(from: From): number {
    const first = this.#index.first() ?? this.#durable.next;
    switch (from.at) {
      case "first":
        return first;
      case "last":
        return this.#durable.next;
      case "offset":
        return Math.min(Math.max(from.offset, first), this.#durable.next);
      case "back":
        return Math.max(first, this.#durable.next - from.count);
      case "time":
        return this.#offsetAt(from.timeMs, first);
    }
  }

  #offsetAt(timeMs: number, first: number): number {
    let [low, high] = [first, this.#durable.next];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const sequence = this.#index.next(middle);
      if (sequence === null || (this.#index.acceptedAtMs(sequence) ?? 0) >= timeMs) high = middle;
      else low = sequence + 1;
    }
    return low;
  }
}
