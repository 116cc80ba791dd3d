import type { Source } from "../connection/sources/source.ts";
import { MdkError } from "../session/mdk-error.ts";

/** Whether there is a table, for those who wait for the first one. */
export class Readiness {
  readonly #source: Pick<Source, "missing" | "denial">;
  readonly #waiting = new Set<(error: Error | null) => void>();
  #isStarted = false;
  #isStopped = false;

  constructor(source: Pick<Source, "missing" | "denial">) {
    this.#source = source;
  }

  /** Resolves with the first table; rejects when there will be none, or with the reason of the signal. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => settle(signal?.reason as Error);
      const settle = (error: Error | null): void => {
        this.#waiting.delete(settle);
        signal?.removeEventListener("abort", onAbort);
        if (error === null) resolve();
        else reject(error);
      };
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(settle);
      this.#settle();
    });
  }

  /** Something may have changed. */
  look(): void {
    this.#isStarted = true;
    this.#settle();
  }

  stop(): void {
    this.#isStopped = true;
    this.#settle();
  }

  #settle(): void {
    const outcome = this.#outcome();
    if (outcome !== "open") for (const settle of this.#waiting) settle(outcome);
  }

  #outcome(): Error | null | "open" {
    if (this.#isStopped) return new MdkError("stopped", "The library is stopped");
    if (!this.#isStarted) return "open";
    if (this.#source.missing() === null) return null;
    return this.#source.denial() ?? "open";
  }
}
