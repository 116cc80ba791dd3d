import type { Clock } from "@datawire/runtime";

/** Lets one loop sleep until it is roused, or its time is over. A call that comes while it works is not lost. */
export class Alarm {
  readonly #clock: Clock;
  #wake: () => void = () => {};
  #roused = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  rouse(): void {
    this.#roused = true;
    this.#wake();
  }

  /** @param delayMs null to wait for a call alone. */
  async sleep(delayMs: number | null): Promise<void> {
    if (!this.#roused && delayMs !== 0) {
      await new Promise<void>((resolve) => {
        const cancel = delayMs === null ? () => {} : this.#clock.setTimer(delayMs, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#roused = false;
    this.#wake = () => {};
  }
}
