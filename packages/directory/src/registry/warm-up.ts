/** The last Watson to come back is waited for no longer than this many warm-ups. */
const WARM_UPS_MAX = 4;
/** What the subscribers had and nobody knows the Watsons of is waited for so many warm-ups: it may be gone for good. */
const WARM_UPS_FOR_UNKNOWN = 2;
/** Watsons are still coming back when one has within this part of a warm-up. */
const LULL_PART = 3;
/** Where everything starts at once on a busy machine, who is missing may need so long, however short the lease is. */
const WARM_UP_MS_MIN = 5_000;

/** Who is waited for after a start. */
export interface Returning {
  /** How many Watsons that the store knows are not back yet. */
  readonly awaited: number;
  /** How many instances fewer there are than a subscriber had. */
  readonly missing: number;
}

/**
 * How long a directory that has started waits for the Watsons that were there before. One warm-up is enough for those
 * that live; on a machine that is busy, or for very many of them, it goes on while they keep coming. Where its store was
 * lost, only the subscribers know that there was more.
 */
export class WarmUp {
  readonly #startedMs: number;
  readonly #warmUpMs: number;
  #awaited = Number.POSITIVE_INFINITY;
  #missing = 0;
  #returnedMs: number;

  constructor({ startedMs, warmUpMs }: { readonly startedMs: number; readonly warmUpMs: number }) {
    this.#startedMs = startedMs;
    this.#warmUpMs = Math.max(WARM_UP_MS_MIN, warmUpMs);
    this.#returnedMs = startedMs;
  }

  isOver({ awaited, missing }: Returning, nowMs: number): boolean {
    if (awaited < this.#awaited || missing < this.#missing) this.#returnedMs = nowMs;
    this.#awaited = awaited;
    this.#missing = missing;
    const passedMs = nowMs - this.#startedMs;
    if (passedMs >= this.#warmUpMs * WARM_UPS_MAX) return true;
    if (missing > 0 && passedMs < this.#warmUpMs * WARM_UPS_FOR_UNKNOWN) return false;
    if (awaited === 0 && missing === 0) return true;
    return passedMs >= this.#warmUpMs && nowMs >= this.#returnedMs + this.#warmUpMs / LULL_PART;
  }
}
