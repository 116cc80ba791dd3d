import type { Identity, Message } from "./message.ts";

/** By what a message is known again; null where it has nothing of that. */
export function keyOf({ offset }: Message, identity: Identity | null): string | null {
  if (identity !== null) return `${identity.producer}\n${identity.sequence}`;
  return offset === null ? null : `\n${offset}`;
}

/** What was handled lately, and may come once more as its settlement was lost on the way; the last 10,000. */
export class Handled {
  readonly #keys = new Set<string>();
  readonly #max: number;

  constructor(max = 10_000) {
    this.#max = max;
  }

  has(key: string | null): boolean {
    return key !== null && this.#keys.has(key);
  }

  add(key: string | null): void {
    if (key === null) return;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#max && oldest !== undefined) this.#keys.delete(oldest);
  }
}
