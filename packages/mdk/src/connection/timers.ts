import { type Clock, sleepWith, systemClock } from "@datawire/runtime";

/** The real clock, whose timers end all at once: a stopped library leaves none. */
export class Timers implements Clock {
  readonly #open = new Set<NodeJS.Timeout>();
  #ended = false;
  /** The same clock, for whose timers alone no process stays alive. */
  readonly background: Pick<Clock, "nowMs" | "monotonicMs" | "setTimer"> = {
    nowMs: () => this.nowMs(),
    monotonicMs: () => this.monotonicMs(),
    setTimer: (ms, fn) => this.#start(ms, fn, false),
  };

  nowMs(): number {
    return systemClock.nowMs();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith((delayMs, fn) => this.setTimer(delayMs, fn), ms, signal);
  }

  setTimer(ms: number, fn: () => void): () => void {
    return this.#start(ms, fn, true);
  }

  /** Ends all that run; none is started any more. */
  end(): void {
    this.#ended = true;
    for (const timer of this.#open) clearTimeout(timer);
    this.#open.clear();
  }

  #start(ms: number, fn: () => void, keepsAlive: boolean): () => void {
    if (this.#ended) return () => {};
    const done = (): void => {
      this.#open.delete(timer);
      if (ms > TIMER_MS_MAX) cancel = this.#start(ms - TIMER_MS_MAX, fn, keepsAlive);
      else fn();
    };
    // setTimeout fires at once beyond its bound: longer ones go in legs.
    const timer = setTimeout(done, Math.min(ms, TIMER_MS_MAX));
    if (!keepsAlive) timer.unref();
    this.#open.add(timer);
    let cancel = (): void => {
      clearTimeout(timer);
      this.#open.delete(timer);
    };
    return () => cancel();
  }
}

/** 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;
