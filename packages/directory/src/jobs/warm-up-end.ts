import type { Logger } from "@datawire/runtime";
import type { Publisher } from "../feed/publisher.ts";
import type { Moment } from "../model/moment.ts";
import type { Registry } from "../registry/registry.ts";
import { WarmUp } from "../registry/warm-up.ts";
import type { Job } from "./run-jobs.ts";

interface WarmUpEndDeps {
  readonly registry: Registry;
  readonly publisher: Publisher;
  readonly log: Logger;
}

/** Ends the warm-up of a directory that has started, once those who were there before are back or were waited for. */
export class WarmUpEnd implements Job {
  readonly #deps: WarmUpEndDeps;
  readonly #warmUp: WarmUp;
  readonly #earliestMs: number;

  constructor({ startedMs, warmUpMs }: { readonly startedMs: number; readonly warmUpMs: number }, deps: WarmUpEndDeps) {
    this.#deps = deps;
    this.#warmUp = new WarmUp({ startedMs, warmUpMs });
    this.#earliestMs = startedMs + warmUpMs;
  }

  /** Whether those who were there before are waited for. */
  isWaiting({ monotonicMs }: Moment): boolean {
    const { registry, publisher } = this.#deps;
    return publisher.warming && !this.#warmUp.isOver(registry.returning, monotonicMs);
  }

  run(moment: Moment): void {
    const { registry, publisher, log } = this.#deps;
    if (!publisher.warming || this.isWaiting(moment)) return;
    // Not sooner: on a machine that is slow to take everyone back, most would be told to all as lost, and then as live
    // again. Whoever is missing now stays because the guard holds its lease, and is shown as lost.
    if (moment.monotonicMs < this.#earliestMs) return;
    registry.doubt(moment);
    publisher.warm();
    log.info("Warm-up over");
  }
}
