import type { MessageRecord } from "../log/record.ts";
import { type ConsumerPort, isExpired } from "./delivery.ts";
import { Reader } from "./reader.ts";
import type { Place, QueueDeps } from "./storage.ts";

/** What a browser sees of its queue. */
export interface BrowserView {
  readonly deps: QueueDeps;
  /** The first message from a sequence on that no consumer has, and that is durable. */
  nextFrom(sequence: number): number | null;
  placeOf(sequence: number): Place | null;
  acceptedAtMs(sequence: number): number | null;
  failuresOf(sequence: number): number;
}

/** Shows the messages of a queue to a link that browses, each once and in order, and leaves them there. */
export class Browser {
  readonly port: ConsumerPort;
  readonly #view: BrowserView;
  readonly #reader = new Reader();
  #position = 0;
  #isOver = false;

  constructor(port: ConsumerPort, view: BrowserView) {
    this.port = port;
    this.#view = view;
  }

  end(): void {
    this.#isOver = true;
  }

  pump(): void {
    const { port } = this;
    while (!this.#isOver && !this.#reader.isBusy && port.wants()) {
      const sequence = this.#view.nextFrom(this.#position);
      const place = sequence === null ? null : this.#view.placeOf(sequence);
      if (sequence === null || place === null) return port.exhausted();
      const record = this.#view.deps.storage.peek(place);
      if (record === null) return this.#load(sequence);
      this.#show(sequence, record);
    }
  }

  #show(sequence: number, record: MessageRecord): void {
    this.#position = sequence + 1;
    const { deps } = this.#view;
    if (isExpired(record, this.#view.acceptedAtMs(sequence), deps.nowMs()) || this.port.filter?.(record) === false)
      return;
    this.port.deliver({ sequence, record, failures: this.#view.failuresOf(sequence), missed: 0 });
  }

  #load(sequence: number): void {
    const { deps } = this.#view;
    this.#reader.load({
      place: () => this.#view.placeOf(sequence),
      storage: deps.storage,
      // The message is in memory now or is gone, so it is looked up anew.
      done: () => this.pump(),
      failed: (error) => deps.onUnreadable(sequence, error, () => this.pump()),
    });
  }
}
