/** How much memory something may take, shared by several who take of it. */
export class Budget {
  /** Bytes that are taken. */
  used = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes bytes; false, and nothing taken, where there are not so many left. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.#max) return false;
    this.used += bytes;
    return true;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.used -= bytes;
  }
}
