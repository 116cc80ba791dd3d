import { describeGeneration } from "@datawire/protocol";
import { DIRECTORY } from "../changes/author.ts";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import { promotion } from "../changes/services.ts";
import { emptyChangeSet, type Plan } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import { emptyRecord } from "../model/records.ts";
import type { Decision } from "../registry/primaries.ts";
import type { State } from "../registry/state.ts";
import { Retry, type WriteDeps } from "./retry.ts";
import type { Job } from "./run-jobs.ts";

interface ElectionDeps extends WriteDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
}

/** Records written together: within what every store takes at once, see `RecordStore.writesMax`. */
const DECIDED_AT_ONCE = 50;

/** Remembers the first primaries of services, and replaces those that are gone. */
export class Election implements Job {
  readonly #deps: ElectionDeps;
  readonly #retry: Retry;

  constructor(deps: ElectionDeps) {
    this.#deps = deps;
    this.#retry = new Retry(deps);
  }

  run(moment: Moment): Promise<void> {
    return this.#retry.attempt(moment, async () => {
      const due = this.#deps.state.primaries.due(moment);
      await this.#decideFirst(due.filter(({ replaces }) => replaces === null));
      for (const decision of due) if (decision.replaces !== null) await this.#decideNext(decision);
    });
  }

  /** Many at once, as after the first start of a large directory. */
  async #decideFirst(decisions: readonly Decision[]): Promise<void> {
    const { state, executor, log } = this.#deps;
    for (let at = 0; at < decisions.length; at += DECIDED_AT_ONCE) {
      const some = decisions.slice(at, at + DECIDED_AT_ONCE);
      const records = some.map(({ service, primary }) => {
        const record = state.services.record(service) ?? emptyRecord(service);
        return { kind: "service", id: service, value: { ...record, primary } } as const;
      });
      await executor.remember(records);
      const primaries = some.map(({ service, primary }) => `${service}: ${describeGeneration(primary)}`);
      log.info("First primaries remembered", { primaries: primaries.join(", "), ...DIRECTORY });
    }
  }

  async #decideNext({ service, primary, replaces }: Decision): Promise<void> {
    const { state, executor } = this.#deps;
    const plan = (): Plan => {
      if (state.services.record(service)?.primary !== replaces)
        return { action: "settled at another directory", change: emptyChangeSet(), notes: [] };
      const { change, action, notes } = promotion(state, { name: service, from: replaces, to: primary });
      // Nobody asked for it, so nobody's routes go with it.
      return {
        change: { ...change, tables: [] },
        notes,
        action: `${action}, as no instance of the old one is registered`,
      };
    };
    await executor.change(plan, { author: DIRECTORY, undoable: false });
  }
}
