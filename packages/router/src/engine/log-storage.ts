import type { Log } from "../log/log.ts";
import {
  encodeControl,
  encodeFailed,
  encodeSettled,
  type MessageRecord,
  type Range,
  readMessage,
} from "../log/record.ts";
import type { Moving, NewMessage, Place, Storage } from "../queue/storage.ts";

/** Keeps the messages of one address in the log. */
export class LogStorage implements Storage {
  readonly #log: Log;
  readonly #address: number;

  constructor(log: Log, address: number) {
    this.#log = log;
    this.#address = address;
  }

  get batch(): number {
    return this.#log.batch;
  }

  append(sequence: number, { acceptedAtMs, ttlMs, keys, payload }: NewMessage): Place {
    return this.#log.message({ address: this.#address, sequence, acceptedAtMs, ttlMs, keys, payload });
  }

  settled(subscription: number, sequence: number): void {
    this.#log.settled(this.#address, subscription, sequence);
  }

  removed(sequence: number, length: number): void {
    this.#log.record(encodeSettled(this.#address, 0, [{ from: sequence, length }]));
  }

  expired(ranges: readonly Range[]): void {
    this.#log.record(encodeControl({ is: "expired", address: this.#address, ranges }));
  }

  failed(subscription: number, sequence: number, deliveries: number): void {
    this.#log.record(encodeFailed(this.#address, subscription, sequence, deliveries));
  }

  moving(moving: Moving): void {
    this.#log.record(encodeControl({ is: "moving", address: this.#address, moving }));
  }

  movingEnded(id: string): void {
    this.#log.record(encodeControl({ is: "moved", address: this.#address, id }));
  }

  release({ segment, length }: Place): void {
    this.#log.release(segment, length);
  }

  whenDurable(callback: () => void): void {
    this.#log.whenDurable(callback);
  }

  peek({ segment, offset, length }: Place): MessageRecord | null {
    const bytes = this.#log.peek(segment, offset, length);
    return bytes === null ? null : readMessage(bytes);
  }

  async load({ segment, offset, length }: Place): Promise<MessageRecord> {
    return readMessage(await this.#log.load(segment, offset, length));
  }
}
