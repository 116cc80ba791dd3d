import type { Clock } from "@datawire/runtime";
import { turnGapMs } from "../monitor/schedule.ts";

interface Turn {
  readonly checks: Set<() => void>;
  readonly cancelTimer: () => void;
}

/** The turns of all checks of a Watson: those that are due at one moment share a timer, so that they wake it once. */
export class Turns {
  readonly #clock: Clock;
  readonly #turns = new Map<number, Turn>();
  #gapMs = turnGapMs(0);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How far apart turns are. */
  get gapMs(): number {
    return this.#gapMs;
  }

  /** Puts checks together as it suits so many of them. */
  spread(checksPerSecond: number): void {
    this.#gapMs = turnGapMs(checksPerSecond);
  }

  /** Makes a check at a moment of the monotonic clock, or at once where that has passed; the function returned cancels it. */
  at(dueMs: number, check: () => void): () => void {
    const turn = this.#turns.get(dueMs) ?? this.#open(dueMs);
    turn.checks.add(check);
    return () => {
      turn.checks.delete(check);
      if (turn.checks.size > 0 || this.#turns.get(dueMs) !== turn) return;
      turn.cancelTimer();
      this.#turns.delete(dueMs);
    };
  }

  #open(dueMs: number): Turn {
    const checks = new Set<() => void>();
    const cancelTimer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.monotonicMs()), () => {
      this.#turns.delete(dueMs);
      for (const check of checks) check();
    });
    const turn = { checks, cancelTimer };
    this.#turns.set(dueMs, turn);
    return turn;
  }
}
