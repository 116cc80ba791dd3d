import { DIRECTORY } from "../changes/author.ts";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import { expired, planExpiry } from "../changes/routes.ts";
import type { Moment } from "../model/moment.ts";
import type { State } from "../registry/state.ts";
import { Retry, type WriteDeps } from "./retry.ts";
import type { Job } from "./run-jobs.ts";

interface RouteExpiryDeps extends WriteDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
}

/** Ends routes whose time is over. */
export class RouteExpiry implements Job {
  readonly #deps: RouteExpiryDeps;
  readonly #retry: Retry;

  constructor(deps: RouteExpiryDeps) {
    this.#deps = deps;
    this.#retry = new Retry(deps);
  }

  run(moment: Moment): Promise<void> {
    const { state, executor } = this.#deps;
    return this.#retry.attempt(moment, async () => {
      for (const key of expired(state, moment))
        await executor.change((at) => planExpiry(state, key, at), { author: DIRECTORY, undoable: false });
    });
  }
}
