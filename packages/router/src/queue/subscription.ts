import { SequenceSet } from "@datawire/amqp";
import type { MessageRecord, Range } from "../log/record.ts";
import { type Burials, ConsumerBurials } from "./burials.ts";
import { type ConsumerPort, isExpired, type Outcome } from "./delivery.ts";
import type { MessageIndex } from "../ledger/message-index.ts";
import { Ranges } from "../ledger/ranges.ts";
import { Reader } from "./reader.ts";
import { SequenceHeap } from "../ledger/sequence-heap.ts";
import type { QueueDeps } from "./storage.ts";

/** What a subscription sees of its topic. */
export interface TopicView {
  readonly index: MessageIndex;
  readonly deps: QueueDeps;
  readonly config: { readonly maxDeliveries: number };
  /** The first offset that is not durable. */
  readonly end: () => number;
  readonly burials: Burials;
}

/** What of a subscription outlives a restart. */
export interface SubscriptionSnapshot {
  readonly id: number;
  readonly key: string;
  readonly floor: number;
  readonly above: readonly (readonly [from: number, end: number])[];
  readonly failures: readonly (readonly [sequence: number, deliveries: number])[];
  /** How many messages it has not been told yet that it missed; 0 where left out. */
  readonly missed?: number | undefined;
  /** What it takes, null for everything; left out by earlier versions. */
  readonly selector?: string | null | undefined;
}

/** One reader of a topic, who gets every message of it from some offset on. */
export class Subscription {
  /** Above 0, of one that is kept on disk. */
  readonly id: number;
  /** By whom it is found again; null for one that ends with its link. */
  readonly key: string | null;
  readonly unsettled = new SequenceSet();
  /** What it takes, of one that is kept: null for everything, undefined where nobody has said so. */
  selector: string | null | undefined;
  /** Whether a consumer has come for it since the start. */
  isTaken = false;
  readonly #view: TopicView;
  readonly #done: Ranges;
  readonly #returned = new SequenceHeap();
  readonly #failures = new Map<number, number>();
  readonly #reader = new Reader();
  #port: ConsumerPort | null = null;
  /** What is next, apart from what was returned. */
  #position: number;
  #missed = 0;
  /** What it has missed was before this. */
  #missedBefore = 0;
  #pumping = false;
  readonly #burials: ConsumerBurials;

  constructor(
    { id, key, from }: { readonly id: number; readonly key: string | null; readonly from: number },
    view: TopicView,
  ) {
    this.id = id;
    this.key = key;
    this.#view = view;
    this.#burials = new ConsumerBurials(view.burials, () => view.deps.later(() => this.pump()));
    this.#done = new Ranges(from);
    this.#position = from;
  }

  get port(): ConsumerPort | null {
    return this.#port;
  }

  /** The oldest message that it still needs. */
  get floor(): number {
    return this.#done.floor;
  }

  /** How many messages it has not been given, of those that are safe. */
  get lag(): number {
    return Math.max(0, this.#view.end() - this.#position) + this.#returned.size;
  }

  /** Whether it gets no more until the dead letters have taken what was rejected. */
  get isBurying(): boolean {
    return this.#burials.isFull;
  }

  attach(port: ConsumerPort): void {
    this.#port = port;
  }

  /** What it had goes back to its place, as delivered in vain. */
  detach(): void {
    this.#port = null;
    for (const sequence of this.unsettled.keys()) {
      this.settle(sequence, { outcome: "modified", failed: true, undeliverableHere: false });
    }
  }

  /** As of `Queue.settle`. */
  settle(sequence: number, outcome: Outcome, appended: () => void = () => {}): void {
    if (!this.unsettled.delete(sequence)) return appended();
    if (outcome.outcome === "accepted") this.#settled(sequence);
    else if (outcome.outcome === "rejected") return this.#bury(sequence, outcome.reason, appended);
    else if (outcome.outcome === "modified" && outcome.failed)
      return this.#fail(sequence, outcome.undeliverableHere, appended);
    // It is here or nowhere: a subscription has one consumer.
    else if (outcome.outcome === "modified" && outcome.undeliverableHere) this.#settled(sequence);
    else this.#giveBack(sequence);
    appended();
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let looked = 0;
    for (let port = this.#port; port?.wants() === true && !this.#isBusy; port = this.#port) {
      if (++looked > LOOKS_MAX) {
        this.#view.deps.later(() => this.pump());
        break;
      }
      if (!this.#serve(port)) {
        if (!this.#reader.isBusy) port.exhausted();
        break;
      }
    }
    this.#pumping = false;
  }

  get #isBusy(): boolean {
    return this.#reader.isBusy || this.isBurying;
  }

  /** The topic has dropped everything before an offset: what of it had not been dropped before, in order. */
  trimmed(first: number, dropped: readonly Range[]): void {
    if (first > this.#position) {
      for (const { from, length } of dropped) {
        for (let sequence = Math.max(from, this.#position); sequence < from + length; sequence++)
          if (!this.#done.has(sequence)) this.#missed++;
      }
      this.#missedBefore = first;
      this.#position = first;
    }
    this.#done.raise(first);
  }

  /** A message has expired; a consumer that has it already keeps it. */
  expired(sequence: number): void {
    this.#failures.delete(sequence);
    this.#done.add(sequence);
  }

  restoreSettled(from: number, length: number): void {
    this.#done.add(from, length);
    this.#position = this.#done.floor;
    // It was told with the first message that came after them.
    if (from >= this.#missedBefore) this.#missed = 0;
  }

  restoreMissed(missed: number): void {
    this.#missed = missed;
    this.#missedBefore = this.#position;
  }

  restoreFailed(sequence: number, deliveries: number): void {
    this.#failures.set(sequence, deliveries);
  }

  snapshot(): SubscriptionSnapshot {
    const { floor, above } = this.#done;
    const missed = this.#missed;
    return {
      id: this.id,
      key: this.key ?? "",
      floor,
      above,
      failures: [...this.#failures],
      ...(missed > 0 && { missed }),
      ...(this.selector !== undefined && { selector: this.selector }),
    };
  }

  #serve(port: ConsumerPort): boolean {
    const { index, deps } = this.#view;
    const sequence = this.#next();
    if (sequence === null) return false;
    const place = index.place(sequence);
    // It was trimmed away.
    if (place === null) return true;
    const record = deps.storage.peek(place);
    if (record !== null) {
      this.#deliver(port, sequence, record);
      return true;
    }
    this.#reader.load({
      place: () => index.place(sequence),
      storage: deps.storage,
      done: (loaded) => {
        if (this.#port?.wants() === true) this.#deliver(this.#port, sequence, loaded);
        else this.#giveBack(sequence);
        this.pump();
      },
      again: (error, retry) => deps.onUnreadable(sequence, error, retry),
      gone: () => this.pump(),
      failed: (error) => deps.onUnreadable(sequence, error, () => this.#giveBack(sequence)),
    });
    return false;
  }

  #next(): number | null {
    const returned = this.#returned.pop();
    if (returned !== undefined) return returned;
    for (;;) {
      const sequence = this.#view.index.next(this.#position);
      if (sequence === null || sequence >= this.#view.end()) return null;
      this.#position = sequence + 1;
      if (!this.#done.has(sequence)) return sequence;
    }
  }

  #deliver(port: ConsumerPort, sequence: number, record: MessageRecord): void {
    const { index, deps } = this.#view;
    // The topic drops and counts it, once for all.
    if (isExpired(record, index.acceptedAtMs(sequence), deps.nowMs())) return;
    if (port.filter?.(record) === false) return this.#settled(sequence);
    this.unsettled.add(sequence);
    const missed = this.#missed;
    this.#missed = 0;
    port.deliver({ sequence, record, failures: this.#failures.get(sequence) ?? 0, missed });
  }

  #giveBack(sequence: number): void {
    this.#returned.push(sequence);
    this.#view.deps.later(() => this.pump());
  }

  #fail(sequence: number, isLast: boolean, appended: () => void): void {
    const deliveries = (this.#failures.get(sequence) ?? 0) + 1;
    if (isLast || deliveries >= this.#view.config.maxDeliveries) {
      return this.#bury(sequence, isLast ? "undeliverable here" : `delivered ${deliveries} times in vain`, appended);
    }
    this.#failures.set(sequence, deliveries);
    if (this.id > 0) this.#view.deps.storage.failed(this.id, sequence, deliveries);
    this.#giveBack(sequence);
    appended();
  }

  #bury(sequence: number, reason: string, appended: () => void): void {
    const owner = {
      buried: () => this.#settled(sequence),
      stays: () => this.#giveBack(sequence),
      // It was dropped meanwhile, for room or for its age.
      gone: () => this.#settled(sequence),
    };
    this.#burials.add(sequence, reason, owner, appended);
  }

  #settled(sequence: number): void {
    this.#failures.delete(sequence);
    this.#done.add(sequence);
    if (this.id > 0) this.#view.deps.storage.settled(this.id, sequence);
  }
}

/** How many messages are looked at in a row before others have their turn. */
const LOOKS_MAX = 1_000;
