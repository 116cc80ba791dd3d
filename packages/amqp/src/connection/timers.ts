/** What is due by time on a connection; all times are milliseconds of the caller's clock. */
export class Timers {
  #nowMs: number;
  #heardAtMs: number;
  #saidAtMs: number;
  /** The peer has to have done something by then: sent its open, or answered our close. Infinity: nothing. */
  deadlineMs: number;
  /** How long the peer may be silent; Infinity: for ever. */
  silenceMsMax = Infinity;
  /** How long we may be silent; Infinity: for ever. */
  #heartbeatMs = Infinity;

  constructor(nowMs: number, deadlineMs: number) {
    this.#nowMs = nowMs;
    this.#heardAtMs = nowMs;
    this.#saidAtMs = nowMs;
    this.deadlineMs = deadlineMs;
  }

  /** The last time that the connection was told. A clock that goes back is not followed. */
  get nowMs(): number {
    return this.#nowMs;
  }

  set nowMs(nowMs: number) {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  heard(): void {
    this.#heardAtMs = this.#nowMs;
  }

  said(): void {
    this.#saidAtMs = this.#nowMs;
  }

  /** The peer gives us up when nothing comes for so long; it gets something at twice that rate. */
  peerTimeout(timeoutMs: number): void {
    this.#heartbeatMs = timeoutMs / 2;
  }

  /** What is due now. */
  due(): "deadline" | "silence" | "heartbeat" | null {
    if (this.#nowMs >= this.deadlineMs) return "deadline";
    if (this.#nowMs >= this.#heardAtMs + this.silenceMsMax) return "silence";
    return this.#nowMs >= this.#saidAtMs + this.#heartbeatMs ? "heartbeat" : null;
  }

  /** When something is due next; null: never. */
  next(): number | null {
    const next = Math.min(this.deadlineMs, this.#heardAtMs + this.silenceMsMax, this.#saidAtMs + this.#heartbeatMs);
    return next === Infinity ? null : next;
  }
}
