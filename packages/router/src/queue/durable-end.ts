import type { Storage } from "./storage.ts";

/** Up to where the messages of an address are durable: no consumer gets later ones. */
export class DurableEnd {
  readonly #storage: Pick<Storage, "batch" | "whenDurable">;
  /** The first message of each batch that is not durable yet. */
  readonly #begins: number[] = [];
  #batch = -1;
  #next: number;
  #end: number;

  constructor(storage: Pick<Storage, "batch" | "whenDurable">, next: number) {
    this.#storage = storage;
    this.#next = next;
    this.#end = next;
  }

  /** The first message that is not durable. */
  get end(): number {
    return this.#end;
  }

  /** The sequence that comes next. */
  get next(): number {
    return this.#next;
  }

  /** Everything before a sequence is durable: the log has it. */
  restore(next: number): void {
    this.#next = Math.max(this.#next, next);
    this.#end = this.#next;
  }

  /** Counts a message that is being appended; `onDurable` is called once for all of its batch. */
  add(onDurable: () => void): number {
    const { batch } = this.#storage;
    const sequence = this.#next++;
    if (batch === this.#batch) return sequence;
    this.#batch = batch;
    this.#begins.push(sequence);
    this.#storage.whenDurable(() => {
      this.#begins.shift();
      this.#end = this.#begins[0] ?? this.#next;
      onDurable();
    });
    return sequence;
  }
}
