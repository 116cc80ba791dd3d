import type { Logger } from "@datawire/runtime";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import type { Moment } from "../model/moment.ts";
import type { State } from "../registry/state.ts";
import type { Replicator } from "./replicator.ts";
import type { Job } from "./run-jobs.ts";

interface CallerCleanupDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
  readonly replicator: Pick<Replicator, "isInformed">;
  readonly log: Logger;
}

const PERIOD_MS = 3_600_000;
/** Records written together: within what every store takes at once, see `RecordStore.writesMax`. */
const FORGOTTEN_AT_ONCE = 50;

/** Forgets, from time to time, callers that were not seen for long. */
export class CallerCleanup implements Job {
  readonly #deps: CallerCleanupDeps;
  #dueMs: number;

  constructor({ startedMs }: { readonly startedMs: number }, deps: CallerCleanupDeps) {
    this.#deps = deps;
    this.#dueMs = startedMs + PERIOD_MS;
  }

  async run({ wallMs, monotonicMs }: Moment): Promise<void> {
    const { state, executor, replicator, log } = this.#deps;
    if (!replicator.isInformed || monotonicMs < this.#dueMs) return;
    this.#dueMs = monotonicMs + PERIOD_MS;
    const names = state.callers.forgettable(wallMs).slice(0, FORGOTTEN_AT_ONCE);
    if (names.length === 0) return;
    try {
      await executor.remember(names.map((id) => ({ kind: "caller", id, value: null })));
    } catch (error) {
      log.warn("Old callers not forgotten", { error });
    }
  }
}
