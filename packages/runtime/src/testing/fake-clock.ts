import { type Clock, sleepWith } from "../time/clock.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on by `ms`, running each due timer at its own moment and letting promises settle after each. */
  advance(ms: number): Promise<void>;
  /** Moves time on by `ms` in which nothing runs, as when the process is stopped: what came due waits for `advance`. */
  stall(ms: number): void;
  /** Makes the wall clock jump, as an administrator or NTP would; timers and `monotonicMs` do not notice. */
  jumpWallClock(ms: number): void;
  /** How many timers wait: zero when all that was started has ended. */
  pending(): number;
}

interface Timer {
  readonly dueMs: number;
  readonly fn: () => void;
}

/** Makes a fake clock whose wall clock begins at `nowMs`. */
export function createFakeClock({ nowMs = Date.UTC(2026, 0, 1) } = {}): FakeClock {
  let elapsedMs = 0;
  let wallMs = nowMs;
  const timers = new Set<Timer>();

  const setTimer: Clock["setTimer"] = (ms, fn) => {
    const timer: Timer = { dueMs: elapsedMs + Math.max(0, ms), fn };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  /** The timer that is due first; among equals the one that was set first. */
  const next = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.dueMs <= untilMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    return first;
  };

  return {
    nowMs: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
    setTimer,
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let timer = next(untilMs); timer; timer = next(untilMs)) {
        timers.delete(timer);
        elapsedMs = Math.max(elapsedMs, timer.dueMs);
        timer.fn();
        await settle();
      }
      elapsedMs = Math.max(elapsedMs, untilMs); // another call may have moved it further meanwhile
    },
    stall: (ms) => void (elapsedMs += ms),
    jumpWallClock: (ms) => void (wallMs += ms),
    pending: () => timers.size,
  };
}

/** A turn of the event loop: every promise that can settle without I/O has done so after it. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
