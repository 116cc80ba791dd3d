/** Time as the processes see it; tests pass a fake one (`@datawire/runtime/testing`). */
export interface Clock {
  /** Wall clock, milliseconds since 1970: for what people read. It may jump; never subtract two of them. */
  nowMs(): number;
  /** Milliseconds since some fixed moment, never going back: for intervals and ages. */
  monotonicMs(): number;
  /** Resolves after `ms`, or as soon as the signal aborts; it never rejects, so look at `signal.aborted` after it. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls `fn` once after `ms`, or with 0 as soon as the I/O that is pending has been handled; the function returned
   * cancels it.
   */
  setTimer(ms: number, fn: () => void): () => void;
}

/** setTimeout fires at once beyond 2^31-1 ms (24.8 days), so longer timers are made of several. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The real clock. Node's timers run on the monotonic clock, so that a wall clock that jumps disturbs nothing. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
  setTimer,
};

/** Resolves when the signal aborts, or at once where it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Makes the `sleep` of a Clock from its `setTimer`. */
export function sleepWith(start: Clock["setTimer"], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const stop = (): void => {
      cancel();
      resolve();
    };
    const cancel = start(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function setTimer(ms: number, fn: () => void): () => void {
  if (ms <= 0) {
    // A timer of Node takes at least a millisecond.
    const immediate = setImmediate(fn);
    return () => clearImmediate(immediate);
  }
  let timer: NodeJS.Timeout;
  const leg = (leftMs: number): void => {
    timer = leftMs > TIMER_MS_MAX ? setTimeout(leg, TIMER_MS_MAX, leftMs - TIMER_MS_MAX) : setTimeout(fn, leftMs);
  };
  leg(ms);
  return () => clearTimeout(timer);
}
