import type { Clock } from "@datawire/runtime";
import type { Socket } from "../link/session/socket.ts";

/** What an original reads, in frames a second, and how many may go at once after a calm. */
const FRAMES_A_SECOND = 500;
const BURST = 250;
/** A ping follows every so many frames; no more than twice as many go before it is answered. */
const PING_EVERY = 250;
const UNANSWERED_MAX = 2 * PING_EVERY;
/** A client that answers no pings is sent more all the same after so long, if it has taken what it was sent. */
const UNANSWERED_MS_MAX = 5_000;
/** Changes that may wait for one original; past it everything is told anew. */
const PENDING_MAX = 10_000;
/** Log events that may wait for one original: the oldest go. */
const LOGS_MAX = 1_000;

interface OutboxDeps {
  readonly socket: Pick<Socket, "send" | "ping" | "bufferedBytes">;
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  /** Everything there is to tell, from its beginning. */
  readonly whole: () => Iterator<string>;
}

/**
 * Sends an original what there is for it at the pace at which it reads. What is new goes before what is being told from
 * the beginning, and of one node only the last word goes.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #pending = new Map<string, string>();
  #logs: string[] = [];
  #whole: Iterator<string> | null = null;
  #allowance = BURST;
  #countedMs: number;
  #sincePing = 0;
  #unanswered = 0;
  #sentMs: number;
  #cancel: (() => void) | null = null;
  #ended = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#countedMs = deps.clock.monotonicMs();
    this.#sentMs = this.#countedMs;
  }

  /** Sends one frame before all that waits. */
  now(frame: string): void {
    if (!this.#ended) this.#deps.socket.send(frame);
  }

  /** Tells everything from its beginning. */
  begin(): void {
    this.#pending.clear();
    this.#whole = this.#deps.whole();
    this.#pump();
  }

  /** What became of a node. */
  told(key: string, frame: string): void {
    this.#pending.delete(key);
    this.#pending.set(key, frame);
    if (this.#pending.size > PENDING_MAX) this.begin();
    else this.#pump();
  }

  /** A log event; returns whether an older one had to go for it. */
  log(frame: string): boolean {
    this.#logs.push(frame);
    const isTooMuch = this.#logs.length > LOGS_MAX;
    if (isTooMuch) this.#logs.shift();
    this.#pump();
    return isTooMuch;
  }

  /** A ping was answered: all that went before it has been read. */
  answered(): void {
    this.#unanswered = this.#sincePing;
    this.#cancel?.();
    this.#cancel = null;
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#cancel?.();
    this.#pending.clear();
    this.#logs = [];
    this.#whole = null;
  }

  #pump(): void {
    if (this.#ended || this.#cancel !== null) return;
    const { clock, socket } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#allowance = Math.min(BURST, this.#allowance + ((nowMs - this.#countedMs) / 1_000) * FRAMES_A_SECOND);
    this.#countedMs = nowMs;
    if (nowMs - this.#sentMs > UNANSWERED_MS_MAX && socket.bufferedBytes === 0) this.#unanswered = 0;
    while (this.#allowance >= 1 && this.#unanswered < UNANSWERED_MAX) {
      const frame = this.#next();
      if (frame === null) return;
      this.#allowance -= 1;
      this.#unanswered += 1;
      this.#sincePing += 1;
      this.#sentMs = nowMs;
      socket.send(frame);
      if (this.#sincePing < PING_EVERY) continue;
      this.#sincePing = 0;
      socket.ping();
    }
    if (!this.#waits()) return;
    const waitMs = this.#allowance >= 1 ? UNANSWERED_MS_MAX : (1_000 * BURST) / FRAMES_A_SECOND / 10;
    this.#wait(waitMs);
  }

  #wait(ms: number): void {
    this.#cancel = this.#deps.clock.setTimer(ms, () => {
      this.#cancel = null;
      this.#pump();
    });
  }

  #waits(): boolean {
    return this.#pending.size > 0 || this.#logs.length > 0 || this.#whole !== null;
  }

  #next(): string | null {
    for (const [key, frame] of this.#pending) {
      this.#pending.delete(key);
      return frame;
    }
    const log = this.#logs.shift();
    if (log !== undefined) return log;
    const next = this.#whole?.next();
    if (next === undefined) return null;
    if (next.done !== true) return next.value;
    this.#whole = null;
    return null;
  }
}
