import { type Backoff, backoff, type Clock, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { UpstreamSettings } from "../config/upstream-settings.ts";

/** What all upstreams work with. */
export interface UpstreamDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly random: () => number;
}

const FIRST_BACKOFF = { baseMs: 100, capMs: 5_000 } as const;

/** A broker, with what is known of it by all who want to talk to it: while it is away, one at a time tries. */
export class Upstream {
  readonly settings: UpstreamSettings;
  readonly #deps: UpstreamDeps;
  readonly #first: Backoff;
  #backoff: Backoff;
  /** Why it cannot be talked to; null where nobody has tried in vain. */
  #away: string | null = null;
  /** Pending while somebody tries; others go on when it is over. */
  #attempt: Promise<void> | null = null;

  constructor(settings: UpstreamSettings, deps: UpstreamDeps) {
    this.settings = settings;
    this.#deps = deps;
    this.#first = backoff({ ...FIRST_BACKOFF, random: deps.random });
    this.#backoff = this.#first;
  }

  /** Why it cannot be talked to; null where nobody has tried in vain. */
  get away(): string | null {
    return this.#away;
  }

  /**
   * Talks to it when it is one's turn.
   * @param open rejects where it cannot be talked to.
   * @returns null where the signal ended the wait, or it could not be talked to.
   */
  async attempt<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    while (this.#attempt !== null) await this.#attempt;
    if (this.#away === null) return this.#try(open, signal);
    let over = (): void => {};
    this.#attempt = new Promise((resolve) => (over = resolve));
    try {
      const { delayMs, backoff: next } = this.#backoff.next();
      this.#backoff = next;
      await this.#deps.clock.sleep(delayMs, signal);
      return signal.aborted ? null : await this.#try(open, signal);
    } finally {
      this.#attempt = null;
      over();
    }
  }

  async #try<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    try {
      const opened = await open();
      this.#came();
      return opened;
    } catch (error) {
      if (!signal.aborted) this.#went(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #came(): void {
    this.#backoff = this.#first;
    if (this.#away === null) return;
    this.#away = null;
    this.#deps.log.info("Upstream is there", { upstream: this.settings.name });
    this.#deps.board.set(`upstream ${this.settings.name}`, []);
  }

  #went(why: string): void {
    if (this.#away === why) return;
    this.#away = why;
    const { name, host, port } = this.settings;
    this.#deps.log.warn("Upstream is away", { upstream: name, host, port, error: why });
    this.#deps.board.set(`upstream ${name}`, [
      {
        subject: `upstream ${name}`,
        message: `it cannot be talked to at ${host}:${port}, so links to it wait without credit: ${why}`,
      },
    ]);
  }
}
