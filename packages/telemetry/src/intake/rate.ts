/** How many seconds' worth may come at once after a calm. */
const BURST_SECONDS = 2;

/** Holds what comes to so many a second. A request that is larger than what is left still goes, and the next ones wait. */
export class RateLimit {
  #perSecond: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond * BURST_SECONDS;
    this.#atMs = nowMs;
  }

  /** Changes how many may come a second. */
  set(perSecond: number): void {
    this.#perSecond = perSecond;
  }

  /** Takes as many; returns 0, or after how many milliseconds to come again where none were taken. */
  take(count: number, nowMs: number): number {
    const passed = Math.max(0, nowMs - this.#atMs) / 1_000;
    this.#atMs = nowMs;
    this.#left = Math.min(this.#perSecond * BURST_SECONDS, this.#left + passed * this.#perSecond);
    if (count > 0 && this.#left <= 0) return Math.ceil(((1 - this.#left) / this.#perSecond) * 1_000);
    this.#left -= count;
    return 0;
  }
}
