import { type Clock, untilBeatMs } from "@datawire/runtime";

/**
 * Looking, which is done at each beat of the process, may take this part of the time and no more; with thousands of sockets it
 * happens less often.
 */
const LOOK_SHARE_MAX = 0.005;
/** How long a further socket of a port that has some may stay unnoticed. */
const WHOLE_MS = 5_000;

/** What a watch over ports works with. */
export interface PortWatchDeps {
  readonly clock: Clock;
  /**
   * Listening sockets by port; null where the system does not tell. Asked for some ports, it is sure to see the end of
   * their sockets; asked for null, those that have come as well.
   */
  readonly read: (until: ReadonlySet<number> | null) => Map<number, number> | null;
}

/**
 * Tells when the number of sockets that listen on a port changes: a service has ended, or has come back. The kernel is
 * asked, and never the service: a service that handles one connection at a time would be blocked by one that is held
 * open to it.
 */
export class PortWatch {
  readonly #deps: PortWatchDeps;
  readonly #listeners = new Map<number, Set<() => void>>();
  #counts = new Map<number, number>();
  #wholeMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(deps: PortWatchDeps) {
    this.#deps = deps;
  }

  /** Calls `listener` each time that a socket of the port has come or gone; the function returned ends that. */
  watch(port: number, listener: () => void): () => void {
    const listeners = this.#listeners.get(port) ?? new Set();
    this.#listeners.set(port, listeners.add(listener));
    if (this.#cancelTimer === null) this.#look();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(port);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  #look(): void {
    const { clock, read } = this.#deps;
    const startedMs = clock.monotonicMs();
    // What is to come back has to be looked for; what is there only has to be found still there.
    const isMissing = [...this.#listeners.keys()].some((port) => !this.#counts.has(port));
    const whole = isMissing || startedMs - this.#wholeMs >= WHOLE_MS;
    if (whole) this.#wholeMs = startedMs;
    const counts = read(whole ? null : new Set(this.#listeners.keys()));
    // One that has told before tells again, once it has a free file descriptor, say.
    if (counts === null && this.#cancelTimer === null) return;
    const nowMs = clock.monotonicMs();
    const delayMs = Math.max(untilBeatMs(nowMs), (nowMs - startedMs) / LOOK_SHARE_MAX);
    this.#cancelTimer = clock.setTimer(delayMs, () => this.#look());
    if (counts === null) return;
    const before = this.#counts;
    this.#counts = counts;
    for (const [port, listeners] of this.#listeners) {
      if ((counts.get(port) ?? 0) === (before.get(port) ?? 0)) continue;
      for (const listener of listeners) listener();
    }
  }

  #rest(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#counts = new Map();
  }
}
