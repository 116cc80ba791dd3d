import { formatDuration } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { Probe } from "../model/belief.ts";

/** What a check that waits for heartbeats works with. */
export interface HeartbeatDeps {
  /** Counts time in which Watson could have heard the application. */
  readonly patience: Pick<Clock, "setTimer">;
  readonly report: (probe: Probe) => void;
}

/** Waits for an application to say that it is alive, and reports each time that it does and each time that it does not. */
export class Heartbeat {
  readonly #ttlMs: number;
  readonly #deps: HeartbeatDeps;
  #cancelTimer: () => void = () => {};

  constructor(ttlMs: number, deps: HeartbeatDeps) {
    this.#ttlMs = ttlMs;
    this.#deps = deps;
  }

  start(): void {
    this.#cancelTimer = this.#deps.patience.setTimer(this.#ttlMs, () => {
      this.#deps.report({ ok: false, reason: `no heartbeat within ${formatDuration(this.#ttlMs)}` });
      this.start();
    });
  }

  beat(): void {
    this.#cancelTimer();
    this.#deps.report({ ok: true });
    this.start();
  }

  stop(): void {
    this.#cancelTimer();
  }
}
