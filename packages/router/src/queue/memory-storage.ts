import type { MessageRecord } from "../log/record.ts";
import type { NewMessage, Place, Storage } from "./storage.ts";

/** Keeps the messages of one address in memory: what is there counts as durable at the end of the turn. */
export class MemoryStorage implements Storage {
  readonly #records = new Map<number, MessageRecord>();
  readonly #waiting: (() => void)[] = [];
  #last = 0;
  #batch = 0;

  get batch(): number {
    return this.#batch;
  }

  append(sequence: number, message: NewMessage): Place {
    // What came over a connection lies in a buffer that is used again.
    const record = { ...message, address: 0, sequence, payload: Uint8Array.from(message.payload) };
    const offset = (this.#last = (this.#last + 1) % 2 ** 32);
    this.#records.set(offset, record);
    return { segment: 1, offset, length: record.payload.length };
  }

  settled(): void {}

  removed(): void {}

  expired(): void {}

  failed(): void {}

  moving(): void {}

  movingEnded(): void {}

  release({ offset }: Place): void {
    this.#records.delete(offset);
  }

  whenDurable(callback: () => void): void {
    this.#waiting.push(callback);
    if (this.#waiting.length > 1) return;
    queueMicrotask(() => {
      this.#batch++;
      for (const waiting of this.#waiting.splice(0)) waiting();
    });
  }

  peek({ offset }: Place): MessageRecord | null {
    return this.#records.get(offset) ?? null;
  }

  load(_place: Place): Promise<MessageRecord> {
    return Promise.reject(new Error("Cannot read a message that is kept in memory: it is gone"));
  }
}
