/** How many warm-ups a start may take, however many Watsons are still coming back. */
const WARM_UPS_MAX = 4;
/**
 * How many warm-ups to wait for instances that subscribers knew, but whose Watsons are unknown: they may be gone for
 * good.
 */
const WARM_UPS_FOR_UNKNOWN = 2;
/** Watsons are still coming back when one has within this part of a warm-up. */
const LULL_PART = 3;
/**
 * However short the lease is: on a busy machine where everything starts at once, Watsons may need so long to come back.
 */
const WARM_UP_MS_MIN = 5_000;

/** Who is waited for after a start. */
export interface Returning {
  /** How many Watsons that the store knows are not back yet. */
  readonly awaited: number;
  /** How many instances fewer there are than a subscriber had. */
  readonly missing: number;
}

/**
 * How long a directory that has just started waits for the Watsons that were there before. One warm-up is usually
 * enough for those that live; on a busy machine, or for very many Watsons, it is extended while they keep coming. After
 * the loss of its store, only the subscribers know that there were more.
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
