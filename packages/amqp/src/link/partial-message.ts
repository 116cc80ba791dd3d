/** What was announced is not believed: room grows with what has come. */
const CAPACITY_MIN = 4_096;

/** A message of which not all frames have come, in one piece of memory that grows with it. */
export class PartialMessage {
  length = 0;
  #bytes = new Uint8Array(0);

  /** Copies the bytes from `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const wanted = this.length + (end - start);
    if (wanted > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(wanted, Math.ceil(this.#bytes.length * 1.5), CAPACITY_MIN));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(start, end), this.length);
    this.length = wanted;
  }

  /** The bytes that were added, without a copy. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
