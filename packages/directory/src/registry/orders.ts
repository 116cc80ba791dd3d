/** The most instances that have left whose place is remembered. */
const LEFT_MAX = 100_000;

/**
 * Counts first registrations. An instance that leaves and comes back keeps its place, so that `ordered` falls back to
 * it (routing rules, section 6); of those that have left, only the last ones are remembered.
 */
export class Orders {
  readonly #present = new Map<string, number>();
  readonly #left = new Map<string, number>();
  #next = 0;

  /** The place of an instance, which is the last one for a key that was never seen. */
  of(key: string): number {
    const known = this.#present.get(key);
    if (known !== undefined) return known;
    const order = this.#left.get(key) ?? this.#next++;
    this.#left.delete(key);
    this.#present.set(key, order);
    return order;
  }

  /** Takes a place from before a restart. */
  restore(key: string, order: number): void {
    this.#present.set(key, order);
    this.#next = Math.max(this.#next, order + 1);
  }

  /** The instance has left. */
  leave(key: string): void {
    const order = this.#present.get(key);
    if (order === undefined) return;
    this.#present.delete(key);
    this.#left.set(key, order);
    if (this.#left.size <= LEFT_MAX) return;
    const oldest = this.#left.keys().next().value;
    if (oldest !== undefined) this.#left.delete(oldest);
  }
}
