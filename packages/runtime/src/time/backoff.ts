/** Limits of the wait between attempts, and where its randomness comes from. */
export interface BackoffOptions {
  /** Upper bound of the first wait; it doubles with every attempt. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly capMs: number;
  /** Returns a number from 0 to below 1, as `Math.random` does. */
  readonly random: () => number;
}

/**
 * How long to wait before the next attempt, and the backoff to use if that fails too. It is immutable: to start over,
 * use the first one again.
 */
export interface Backoff {
  readonly attempt: number;
  next(): { readonly delayMs: number; readonly backoff: Backoff };
}

/**
 * Exponential backoff with full jitter: each wait is uniform between 0 and min(cap, base·2^attempt), which spreads
 * clients that lost the same server better than jitter around the middle ("Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015).
 */
export function backoff(options: BackoffOptions): Backoff {
  return at(0, options);
}

function at(attempt: number, options: BackoffOptions): Backoff {
  return {
    attempt,
    next: () => ({
      delayMs: options.random() * Math.min(options.capMs, options.baseMs * 2 ** attempt),
      backoff: at(attempt + 1, options),
    }),
  };
}
