/** The last Watson to come back is waited for no longer than this many warm-ups. */
const WARM_UPS_MAX = 4;
/** Watsons are still coming back when one has within this part of a warm-up. */
const LULL_PART = 3;

/**
 * How long a directory that has started waits for the Watsons that were there before. One warm-up is enough for those
 * that live; on a machine that is busy, or for very many of them, it goes on while they keep coming.
 */
export class Homecoming {
  readonly #startedMs: number;
  readonly #warmUpMs: number;
  #awaited = Number.POSITIVE_INFINITY;
  #returnedMs: number;

  constructor({ startedMs, warmUpMs }: { readonly startedMs: number; readonly warmUpMs: number }) {
    this.#startedMs = startedMs;
    this.#warmUpMs = warmUpMs;
    this.#returnedMs = startedMs;
  }

  /** @param awaited how many are not back yet. */
  isOver(awaited: number, nowMs: number): boolean {
    if (awaited < this.#awaited) this.#returnedMs = nowMs;
    this.#awaited = awaited;
    if (awaited === 0 || nowMs >= this.#startedMs + this.#warmUpMs * WARM_UPS_MAX) return true;
    return nowMs >= Math.max(this.#startedMs + this.#warmUpMs, this.#returnedMs + this.#warmUpMs / LULL_PART);
  }
}
