import type { Clock } from "@datawire/runtime";

/** Something whose reading can be paused. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** Bounds the processor time that one connection takes. */
export interface RateLimiter {
  /** Says how much of the processor's time the work on one message took. */
  worked(cpuMs: number): void;
  /** The connection has ended. */
  end(): void;
}

/** Work up to this much is not limited: a Watson that states a thousand instances takes less. */
const WORK_MS_FREE = 50;
/**
 * For each millisecond beyond, the connection pauses for this many, so that it takes a fifth of the time at the most.
 */
const PAUSE_FACTOR = 4;
const WINDOW_MS = 1_000;

/**
 * Keeps a connection that floods the directory from taking the time of the others: what it sends has to wait, first in
 * its buffers here and then at the sender. CPU time counts, not elapsed time, which depends on how busy the machine is
 * and says nothing about the sender.
 * @param pauseMsMax no pause is longer: what waits may be an answer to a ping.
 */
export function createRateLimiter(
  source: Pausable,
  { clock, pauseMsMax }: { readonly clock: Clock; readonly pauseMsMax: number },
): RateLimiter {
  let windowMs = clock.monotonicMs();
  let spentMs = 0;
  let cancel: (() => void) | null = null;
  return {
    worked(cpuMs) {
      const nowMs = clock.monotonicMs();
      if (nowMs - windowMs >= WINDOW_MS) {
        windowMs = nowMs;
        spentMs = 0;
      }
      spentMs += cpuMs;
      if (spentMs <= WORK_MS_FREE || cancel !== null) return;
      source.pause();
      cancel = clock.setTimer(Math.min(spentMs * PAUSE_FACTOR, pauseMsMax), () => {
        cancel = null;
        spentMs = 0;
        source.resume();
      });
    },
    end: () => cancel?.(),
  };
}
