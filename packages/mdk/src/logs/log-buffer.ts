import { LOGS_MESSAGE_EVENTS_MAX, type LoggedEvent } from "@datawire/protocol";

/** What may wait to be sent; then the oldest go. */
const LOGS_MAX = 10_000;
const LOG_BYTES_MAX = 8 * 1024 * 1024;
/** One message stays well below what a frame may have. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** What an event takes besides its texts. */
const EVENT_BYTES = 300;

/** Some events that are sent together, and the number of the first. */
export interface LogBatch {
  readonly seq: number;
  readonly events: readonly LoggedEvent[];
}

/** Log events until they are acknowledged, each with a number, and within bounds. Drops the oldest, and counts them. */
export class LogBuffer {
  #events: { readonly event: LoggedEvent; readonly bytes: number }[] = [];
  /** How many at the front of the list are gone: to take each out alone would move all others. */
  #head = 0;
  /** The number of the first one. */
  #seq = 0;
  #bytes = 0;
  #dropped = 0;

  get size(): number {
    return this.#events.length - this.#head;
  }

  add(event: LoggedEvent): void {
    const bytes = EVENT_BYTES + 3 * (event.text.length + event.category.length) + 8 * event.clock.length;
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    while (this.size > LOGS_MAX || (this.#bytes > LOG_BYTES_MAX && this.size > 1)) {
      this.#drop();
      this.#dropped += 1;
    }
  }

  /** How many were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Forgets the events before a number: the directory has them. */
  acknowledge(seq: number): void {
    while (this.#seq < seq && this.size > 0) this.#drop();
  }

  /** The next to send from a number on; null when there is none. */
  batch(from: number): LogBatch | null {
    const seq = Math.max(from, this.#seq);
    const events: LoggedEvent[] = [];
    let bytes = 0;
    const at = this.#head + seq - this.#seq;
    for (const one of this.#events.slice(at, at + LOGS_MESSAGE_EVENTS_MAX)) {
      if (events.length > 0 && bytes + one.bytes > MESSAGE_BYTES_MAX) break;
      bytes += one.bytes;
      events.push(one.event);
    }
    return events.length === 0 ? null : { seq, events };
  }

  #drop(): void {
    this.#bytes -= this.#events[this.#head]?.bytes ?? 0;
    this.#head += 1;
    this.#seq += 1;
    if (this.#head < LOGS_MAX) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }
}
