import { type Clock, sleepWith } from "./clock.ts";

/**
 * How often the process notes that it is running, at multiples of it. What else comes often does so at these moments,
 * as one wake of the process is for all of them: Watson's checks at each second one where they are few, its looks for
 * sockets that have gone at each.
 */
const BEAT_MS = 125;

/** How long it is from a moment of the monotonic clock to a beat: the next one, unless that is too near. */
export function untilBeatMs(nowMs: number): number {
  const leftMs = BEAT_MS - (nowMs % BEAT_MS);
  // A timer may fire a fraction early, and would then be for the same beat again.
  return leftMs < BEAT_MS / 2 ? leftMs + BEAT_MS : leftMs;
}

/**
 * The most that counts of the time between two beats: where a beat comes later, the process was not handling events
 * meanwhile.
 */
const COUNTED_MS_MAX = 2 * BEAT_MS;

/** The time in which this process handled events, by one clock, counted once for all users. */
class Attention {
  readonly #clock: Clock;
  #users = 0;
  #countedMs = 0;
  #beatMs = 0;
  #cancelBeat = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts on until the function returned is called. */
  use(): () => void {
    if (this.#users++ === 0) {
      this.#beatMs = this.#clock.monotonicMs();
      this.#waitForBeat();
    }
    return () => {
      this.#countedMs = this.countedMs();
      this.#beatMs = this.#clock.monotonicMs();
      if (--this.#users === 0) this.#cancelBeat();
    };
  }

  countedMs(): number {
    return this.#countedMs + Math.min(this.#clock.monotonicMs() - this.#beatMs, COUNTED_MS_MAX);
  }

  #waitForBeat(): void {
    this.#cancelBeat = this.#clock.setTimer(untilBeatMs(this.#beatMs), () => {
      this.#countedMs = this.countedMs();
      this.#beatMs = this.#clock.monotonicMs();
      this.#waitForBeat();
    });
  }
}

const attentions = new WeakMap<Clock, Attention>();

function attentionOf(clock: Clock): Attention {
  const attention = attentions.get(clock) ?? new Attention(clock);
  attentions.set(clock, attention);
  return attention;
}

/**
 * A clock to judge the silence of others by: its `monotonicMs` and its timers count only time in which this process was
 * able to handle events. They leave out the time for which it was stopped (SIGSTOP, a machine that slept or was
 * migrated) or its event loop was blocked: an answer may then be in a socket that was not read yet, as timers run
 * before sockets are read.
 *
 * It does not measure how long something took. However many of them a process has, they share one beat.
 * @param signal ends its beat; afterwards it stands still.
 */
export function createAttentiveClock(clock: Clock, signal: AbortSignal): Clock {
  const attention = attentionOf(clock);
  const leave = signal.aborted ? () => {} : attention.use();
  const startMs = attention.countedMs();
  let stoodMs: number | null = signal.aborted ? 0 : null;
  const monotonicMs = (): number => stoodMs ?? attention.countedMs() - startMs;
  const stop = (): void => {
    stoodMs = monotonicMs();
    leave();
  };
  signal.addEventListener("abort", stop, { once: true });
  const setTimer: Clock["setTimer"] = (ms, fn) => {
    const dueMs = monotonicMs() + ms;
    let cancel = (): void => {};
    const wait = (leftMs: number): void => {
      cancel = clock.setTimer(leftMs, () => {
        const restMs = dueMs - monotonicMs();
        // Below a millisecond timers are not exact.
        if (restMs >= 1 && !signal.aborted) wait(restMs);
        else fn();
      });
    };
    wait(ms);
    return () => cancel();
  };
  return { nowMs: clock.nowMs, monotonicMs, sleep: (ms, until) => sleepWith(setTimer, ms, until), setTimer };
}
