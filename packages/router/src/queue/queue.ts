import type { MessageRecord } from "../log/record.ts";
import { Browser } from "./browser.ts";
import { ConsumerBurials } from "./burials.ts";
import { type ConsumerPort, isExpired, type Outcome, reasonOf } from "./delivery.ts";
import { QueueConsumer } from "./queue-consumer.ts";
import { QueueContents } from "./queue-contents.ts";
import type { Place } from "./storage.ts";

/**
 * Messages in the order of their acceptance, each for one consumer. Durable messages are given to the consumers with
 * credit, in turn; a released message is back in its place, before all that came later.
 */
export class Queue extends QueueContents {
  readonly #consumers: QueueConsumer[] = [];
  readonly #browsers = new Set<Browser>();
  /** What consumers have and have not settled. */
  #unsettled = 0;
  #turn = 0;
  #pumping = false;
  #again = false;
  #pumpsSoon = false;

  get unsettled(): number {
    return this.#unsettled;
  }

  get consumers(): readonly QueueConsumer[] {
    return this.#consumers;
  }

  /** @param has what of the messages it has from the beginning. */
  attach(port: ConsumerPort, has: readonly number[] = []): QueueConsumer {
    const consumer = new QueueConsumer(port, new ConsumerBurials(this.burials, () => this.#pumpSoon()));
    this.#consumers.push(consumer);
    for (const sequence of has) if (this.index.isReady(sequence)) this.#hold(consumer, sequence);
    return consumer;
  }

  /** Shows the messages to somebody who leaves them there, until the browser ends. */
  browse(port: ConsumerPort): Browser {
    const browser = new Browser(port, {
      deps: this.deps,
      nextFrom: (sequence) => this.nextFrom(sequence),
      placeOf: (sequence) => this.placeOf(sequence),
      acceptedAtMs: (sequence) => this.index.acceptedAtMs(sequence),
      failuresOf: (sequence) => this.failuresOf(sequence),
    });
    this.#browsers.add(browser);
    return browser;
  }

  endBrowsing(browser: Browser): void {
    browser.end();
    this.#browsers.delete(browser);
  }

  /** Removes a consumer; its messages go back to their places, as failed deliveries. */
  detach(consumer: QueueConsumer): void {
    const at = this.#consumers.indexOf(consumer);
    if (at !== -1) this.#consumers.splice(at, 1);
    // What is being read for it is anybody's again, before what came after it.
    if (consumer.loading !== null && consumer.reader.isBusy) this.giveBack(consumer.loading);
    consumer.loading = null;
    for (const sequence of consumer.unsettled.keys()) {
      this.settle(consumer, sequence, { outcome: "modified", failed: true, undeliverableHere: false });
    }
    this.pump();
  }

  /**
   * Takes a consumer's outcome for a message.
   * @param appended called when what follows from it has been appended, so that it is on disk with what is appended
   * then.
   */
  settle(consumer: QueueConsumer, sequence: number, outcome: Outcome, appended: () => void = nothing): void {
    if (!consumer.unsettled.delete(sequence)) return appended();
    this.#unsettled--;
    const isBuried =
      outcome.outcome === "rejected" ||
      (outcome.outcome === "modified" && outcome.failed && this.failuresOf(sequence) + 1 >= this.config.maxDeliveries);
    if (isBuried) return this.#bury(consumer, sequence, { reason: reasonOf(outcome, this.config), appended });
    this.#settleNow(consumer, sequence, outcome);
    appended();
  }

  #settleNow(consumer: QueueConsumer, sequence: number, outcome: Outcome): void {
    switch (outcome.outcome) {
      case "accepted":
        return this.settled(sequence);
      case "released":
        return this.giveBack(sequence);
      case "rejected":
        return;
      case "modified":
        if (outcome.undeliverableHere) consumer.exclude(sequence, (one) => this.placeOf(one) !== null);
        if (outcome.failed) this.#fail(sequence);
        return this.giveBack(sequence);
    }
  }

  override pump(): void {
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#pumping = true;
    do {
      this.#again = false;
      this.#distribute();
    } while (this.#again);
    this.#pumping = false;
    for (const browser of this.#browsers) browser.pump();
    for (const consumer of this.#consumers) if (!consumer.isBusy && consumer.port.wants()) consumer.port.exhausted();
  }

  override discard(): void {
    super.discard();
    this.#unsettled = 0;
    for (const consumer of this.#consumers) consumer.unsettled.clear();
  }

  /** One for each in turn, until nobody wants any or there are none. */
  #distribute(): void {
    for (let idle = 0; idle < this.#consumers.length;) {
      const consumer = this.#consumers[this.#turn % this.#consumers.length] as QueueConsumer;
      this.#turn = (this.#turn + 1) % this.#consumers.length;
      if (this.#serve(consumer)) idle = 0;
      else idle++;
    }
  }

  /** @returns whether the consumer was given a message, or one is being read for it. */
  #serve(consumer: QueueConsumer): boolean {
    if (consumer.isBusy || consumer.burials.isFull || !consumer.port.wants()) return false;
    const sequence = consumer.isPlain ? this.nextForAll() : this.#nextMatching(consumer);
    if (sequence === null) return false;
    const place = this.index.place(sequence);
    if (place === null) return false;
    this.index.take(sequence);
    const record = this.deps.storage.peek(place);
    if (record === null) this.#load(consumer, sequence);
    else this.#deliver(consumer, sequence, record);
    return true;
  }

  #deliver(consumer: QueueConsumer, sequence: number, record: MessageRecord): void {
    if (isExpired(record, this.index.acceptedAtMs(sequence), this.deps.nowMs())) return this.expire(sequence);
    this.#hold(consumer, sequence);
    consumer.port.deliver({ sequence, record, failures: this.failuresOf(sequence), missed: 0 });
  }

  #hold(consumer: QueueConsumer, sequence: number): void {
    this.index.take(sequence);
    consumer.unsettled.add(sequence);
    this.#unsettled++;
  }

  #load(consumer: QueueConsumer, sequence: number): void {
    consumer.loading = sequence;
    consumer.reader.load({
      place: () => this.index.place(sequence),
      storage: this.deps.storage,
      done: (record) => {
        if (consumer.loading !== sequence) return;
        consumer.loading = null;
        if (consumer.port.wants()) this.#deliver(consumer, sequence, record);
        else this.giveBack(sequence);
        this.pump();
      },
      again: (error, retry) => this.deps.onUnreadable(sequence, error, retry),
      gone: () => this.pump(),
      failed: (error) => {
        if (consumer.loading !== sequence) return;
        consumer.loading = null;
        this.deps.onUnreadable(sequence, error, () => this.giveBack(sequence));
      },
    });
  }

  /** What a consumer with a filter takes next; null for nothing, or for a message that has to be read first. */
  #nextMatching(consumer: QueueConsumer): number | null {
    const { filter } = consumer.port;
    for (let looked = 0; ; looked++) {
      const sequence = this.nextFrom(consumer.scan);
      if (sequence === null) return null;
      if (looked >= LOOKS_MAX) {
        consumer.looksOn = true;
        this.deps.later(() => {
          consumer.looksOn = false;
          this.pump();
        });
        return null;
      }
      if (!consumer.excludes(sequence)) {
        if (filter === null) return this.#passed(consumer, sequence);
        const place = this.index.place(sequence) as Place;
        const record = this.deps.storage.peek(place);
        if (record === null) {
          consumer.reader.load({
            place: () => this.index.place(sequence),
            storage: this.deps.storage,
            // It is at hand now.
            done: () => this.pump(),
            failed: (error) => this.deps.onUnreadable(sequence, error, () => this.pump()),
          });
          return null;
        }
        if (filter(record)) return this.#passed(consumer, sequence);
      }
      consumer.scan = sequence + 1;
    }
  }

  #passed(consumer: QueueConsumer, sequence: number): number {
    consumer.scan = sequence + 1;
    return sequence;
  }

  protected override giveBack(sequence: number): void {
    this.ready(sequence);
    this.reconsider(sequence);
  }

  /** What is there from a sequence on may be for others than before. */
  reconsider(from = 0): void {
    for (const consumer of this.#consumers) if (from < consumer.scan) consumer.scan = from;
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#pumpsSoon) return;
    this.#pumpsSoon = true;
    this.deps.later(() => {
      this.#pumpsSoon = false;
      this.pump();
    });
  }

  #fail(sequence: number): void {
    const deliveries = this.failuresOf(sequence) + 1;
    this.failures.set(sequence, deliveries);
    this.deps.storage.failed(0, sequence, deliveries);
  }

  #bury(
    consumer: QueueConsumer,
    sequence: number,
    { reason, appended }: { readonly reason: string; readonly appended: () => void },
  ): void {
    const owner = {
      buried: () => this.settled(sequence),
      stays: () => this.giveBack(sequence),
      gone: nothing,
    };
    consumer.burials.add(sequence, reason, owner, appended);
  }
}

const nothing = (): void => {};

/** How many messages a filter looks at before the next consumer has its turn. */
const LOOKS_MAX = 1_000;
