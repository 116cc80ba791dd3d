import type { LogDeps } from "./log-deps.ts";
import type { Reserve } from "./reserve.ts";

interface ShortageDeps extends Pick<LogDeps, "sleep" | "onTrouble"> {
  /** Pause before it is looked again whether there is room. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
}

/**
 * The time from the moment at which the disk was full until there is a reserve again. Nothing new is to be accepted then:
 * what is left is for what makes room.
 */
export class Shortage {
  readonly #reserve: Reserve;
  readonly #deps: ShortageDeps;
  #isShort = false;
  #regaining: Promise<void> = Promise.resolve();
  /** When whoever uses the disk now is done with it. */
  #turn: Promise<void> = Promise.resolve();

  constructor(reserve: Reserve, deps: ShortageDeps) {
    this.#reserve = reserve;
    this.#deps = deps;
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  /** Resolves when nothing is tried any more: there is room, or the log was closed. */
  get ended(): Promise<void> {
    return this.#regaining;
  }

  /** Takes the reserve; where there is no room for it, the shortage begins. */
  async begin(): Promise<void> {
    await this.#reserve.make().catch((error: unknown) => this.#run(error));
  }

  /** Gives the reserve up for a write that found no room. @returns whether there was one. */
  async give(why: unknown): Promise<boolean> {
    try {
      if (!(await this.#reserve.give())) return false;
    } catch {
      return false;
    }
    this.#run(why);
    return true;
  }

  /** Writes while the reserve is not being made, which takes all the room that there is before it gives up. */
  async alone(write: () => Promise<void>): Promise<void> {
    if (!this.#isShort) return write();
    const before = this.#turn;
    const mine = before.then(write);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #run(why: unknown): void {
    this.#deps.onTrouble(why);
    if (this.#isShort) return;
    this.#isShort = true;
    this.#regaining = this.#regain();
  }

  async #regain(): Promise<void> {
    const { signal, retryMs, sleep, onTrouble } = this.#deps;
    while (this.#isShort && !signal.aborted) {
      await sleep(retryMs, signal);
      await this.alone(() => this.#reserve.make()).then(
        () => (this.#isShort = false),
        () => {},
      );
    }
    if (!this.#isShort) onTrouble(null);
  }
}
