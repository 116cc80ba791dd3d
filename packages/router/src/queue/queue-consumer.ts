import { SequenceSet } from "@datawire/amqp";
import type { ConsumerBurials } from "./burials.ts";
import type { ConsumerPort } from "./delivery.ts";
import { Reader } from "./reader.ts";

/** So many exclusions are kept without a look. */
const EXCLUSIONS_MIN = 1_000;

/** A consumer of a queue. */
export class QueueConsumer {
  readonly port: ConsumerPort;
  readonly reader = new Reader();
  readonly unsettled = new SequenceSet();
  /** What is being read from disk for it. */
  loading: number | null = null;
  readonly burials: ConsumerBurials;
  /** Whether it has looked at so many messages that it has to wait for its next turn. */
  looksOn = false;
  /** With a filter: everything before it was offered, and not wanted. */
  scan = 0;
  readonly #excluded = new Set<number>();
  /** At how many exclusions it looks which of them are gone. */
  #looksAt = EXCLUSIONS_MIN;

  constructor(port: ConsumerPort, burials: ConsumerBurials) {
    this.port = port;
    this.burials = burials;
  }

  /** Whether something is under way for it. */
  get isBusy(): boolean {
    return this.looksOn || this.reader.isBusy;
  }

  /** Whether it takes whatever comes. */
  get isPlain(): boolean {
    return this.port.filter === null && this.#excluded.size === 0;
  }

  excludes(sequence: number): boolean {
    return this.#excluded.has(sequence);
  }

  /** How many it does not want, some of them gone. */
  get exclusions(): number {
    return this.#excluded.size;
  }

  /** @param isThere which messages there are: what is gone is forgotten now and then. */
  exclude(sequence: number, isThere: (sequence: number) => boolean): void {
    // From now on it looks for itself, from the oldest message on.
    if (this.isPlain) this.scan = 0;
    this.#excluded.add(sequence);
    if (this.#excluded.size < this.#looksAt) return;
    for (const one of this.#excluded) if (!isThere(one)) this.#excluded.delete(one);
    this.#looksAt = Math.max(EXCLUSIONS_MIN, this.#excluded.size * 2);
  }
}
