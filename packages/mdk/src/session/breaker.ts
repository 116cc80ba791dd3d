/** When breakers trip, and for how long. */
export interface BreakerSettings {
  /** Failures in a row that trip one; 0 turns breakers off. */
  readonly failures: number;
  /** How long after its last failure one lets a try through, in milliseconds. */
  readonly pauseMs: number;
}

/** What a report has changed: `tripped` and `closed` are worth telling. */
export type BreakerChange = "none" | "tripped" | "closed";

/**
 * The circuit breaker of one address. It trips when so many calls in a row fail, and lets one try through after a
 * pause, another one a pause later if nobody said how that went. A success closes it, a failure trips it again.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  #failures = 0;
  /** When the next try goes through; null while it is closed. */
  #untilMs: number | null = null;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  /** Whether it is closed: all calls go through. */
  get isClosed(): boolean {
    return this.#untilMs === null;
  }

  /** When a tripped one lets the next try through, in monotonic milliseconds; null for one that is closed. */
  get untilMs(): number | null {
    return this.#untilMs;
  }

  /** Whether a call may go through now; `begin` says that it does. */
  allows(nowMs: number): boolean {
    return this.#untilMs === null || nowMs >= this.#untilMs;
  }

  /** A call goes through: of one that is tripped, it is the one try, and the next has to wait for another pause. */
  begin(nowMs: number): void {
    if (this.#untilMs !== null) this.#untilMs = nowMs + this.#settings.pauseMs;
  }

  failed(nowMs: number): BreakerChange {
    const { failures, pauseMs } = this.#settings;
    if (failures === 0) return "none";
    this.#failures += 1;
    if (this.#failures < failures) return "none";
    const wasClosed = this.#untilMs === null;
    this.#untilMs = nowMs + pauseMs;
    return wasClosed ? "tripped" : "none";
  }

  succeeded(): BreakerChange {
    this.#failures = 0;
    if (this.#untilMs === null) return "none";
    this.#untilMs = null;
    return "closed";
  }
}
