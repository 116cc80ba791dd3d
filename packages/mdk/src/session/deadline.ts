import { MdkError } from "./mdk-error.ts";
import type { SessionClock } from "./time.ts";

/** When a session has to be done. It is only ever moved forward, and held by a clock that does not jump. */
export class Deadline {
  readonly #clock: SessionClock;
  #atMs: number | null = null;
  #abort: AbortController | null = null;
  #cancel: () => void = () => {};

  constructor(clock: SessionClock) {
    this.#clock = clock;
  }

  /** Aborts with a `deadline_exceeded` once it is over. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      this.#arm();
    }
    return this.#abort.signal;
  }

  /** Milliseconds until it, 0 when it is over, null when there is none. */
  remainingMs(): number | null {
    return this.#atMs === null ? null : Math.max(0, this.#atMs - this.#clock.monotonicMs());
  }

  /** Puts it so many milliseconds from now, unless it is sooner already. Returns whether it has moved. */
  lower(ms: number): boolean {
    const atMs = this.#clock.monotonicMs() + ms;
    if (this.#atMs !== null && this.#atMs <= atMs) return false;
    this.#atMs = atMs;
    if (this.#abort !== null) this.#arm();
    return true;
  }

  /** Puts it so many milliseconds from now, whatever it was. */
  replace(ms: number): void {
    this.#atMs = null;
    this.lower(ms);
  }

  #arm(): void {
    this.#cancel();
    const ms = this.remainingMs();
    if (ms === null || this.#abort?.signal.aborted === true) return;
    if (ms <= 0) this.#abort?.abort(deadlineExceeded());
    else this.#cancel = this.#clock.setTimer(ms, () => this.#arm());
  }
}

/** What a call ends with when the time of its session is over. */
export function deadlineExceeded(): MdkError {
  return new MdkError("deadline_exceeded", "Cannot go on: the deadline of the session is over");
}
