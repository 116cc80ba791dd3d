/** Hands on to all who listen. */
export class Relays<T> {
  readonly #listeners = new Set<(value: T) => void | Promise<void>>();

  /** Calls back with what is sent; the function returned ends that. */
  to(listener: (value: T) => void | Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when all have done with it, one after the other. */
  async send(value: T): Promise<void> {
    for (const listener of this.#listeners) await listener(value);
  }
}
