import { type Clock, sleepWith } from "@datawire/runtime";

/** A process as a simulation sees it: while it lives it has timers, and when it is killed nothing of it goes on. */
export class SimulatedProcess {
  readonly name: string;
  /** A clock of its own: its timers end with the process. */
  readonly clock: Clock;
  /** Asks it to end in good order. */
  readonly stop = new AbortController();
  #alive = true;
  readonly #cancels = new Set<() => void>();

  constructor(name: string, clock: Clock) {
    this.name = name;
    const setTimer: Clock["setTimer"] = (ms, fn) => {
      if (!this.#alive) return () => {};
      const cancel = clock.setTimer(ms, () => {
        this.#cancels.delete(cancel);
        fn();
      });
      this.#cancels.add(cancel);
      return () => {
        this.#cancels.delete(cancel);
        cancel();
      };
    };
    this.clock = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer,
      sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends it between two of its steps, as SIGKILL does. */
  kill(): void {
    this.#alive = false;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  /** Resolves after `ms`, unless the process is killed before; then never. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve));
  }
}
