import type { Moment } from "../model/moment.ts";
import type { Judge } from "../rollouts/judge.ts";
import { Retry, type WriteDeps } from "./retry.ts";
import type { Job } from "./run-jobs.ts";

/** Judges rollouts while that can be stored. */
export class RolloutJudgement implements Job {
  readonly #judge: Judge;
  readonly #deps: WriteDeps;
  readonly #retry: Retry;

  constructor(judge: Judge, deps: WriteDeps) {
    this.#judge = judge;
    this.#deps = deps;
    this.#retry = new Retry(deps);
  }

  async run(moment: Moment): Promise<void> {
    const { store, replicator } = this.#deps;
    if (store.outage !== null || !replicator.isInformed) return this.#judge.rest();
    await this.#retry.attempt(moment, () => this.#judge.run(moment));
  }
}
