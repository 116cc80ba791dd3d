import { setImmediate } from "node:timers/promises";

/** A search lets others have their turn after so long. */
const SLICE_MS = 15;

/** Lets what waits have its turn now and then. */
export class Slices {
  #sinceMs = performance.now();

  /** To be awaited between steps. */
  async turn(): Promise<void> {
    if (performance.now() - this.#sinceMs < SLICE_MS) return;
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}
