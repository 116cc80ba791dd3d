import type { Logger } from "@datawire/runtime";
import type { Moment } from "../model/moment.ts";
import { failedAt } from "../problems/failed-at.ts";
import type { Faults } from "../problems/faults.ts";
import type { RecordStore } from "../store/contract.ts";
import type { Replicator } from "./replicator.ts";

/** What a job needs that writes to the store. */
export interface WriteDeps {
  readonly store: Pick<RecordStore, "outage">;
  readonly replicator: Pick<Replicator, "isInformed">;
  readonly faults: Faults;
  readonly log: Logger;
}

/** After a failure. */
const RETRY_MS = 5_000;

/** Writes what is due, as it stays due until it is written: a failure is told once, and tried again later. */
export class Retry {
  readonly #deps: WriteDeps;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(deps: WriteDeps) {
    this.#deps = deps;
  }

  async attempt(moment: Moment, work: () => Promise<void>): Promise<void> {
    const { store, replicator, faults, log } = this.#deps;
    if (!replicator.isInformed || moment.monotonicMs < this.#dueMs) return;
    const { outage } = store;
    try {
      await work();
    } catch (error) {
      this.#dueMs = moment.monotonicMs + RETRY_MS;
      if (outage !== null) return;
      log.error("What is due could not be stored", { error, retryInMs: RETRY_MS });
      faults.note(failedAt("housekeeping", error), moment);
    }
  }
}
