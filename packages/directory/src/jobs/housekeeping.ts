import { describeGeneration } from "@datawire/protocol";
import { type Clock, describeError, type Logger } from "@datawire/runtime";
import { expired, planExpiry } from "../changes/routes.ts";
import { emptyChange, type Plan } from "../model/change-set.ts";
import { promotion } from "../changes/services.ts";
import { failedAt } from "../problems/failed-at.ts";
import type { Faults } from "../problems/faults.ts";
import { WarmUp } from "../registry/warm-up.ts";
import { emptyRecord } from "../model/records.ts";
import { type Moment, momentOf } from "../model/moment.ts";
import type { Decision } from "../registry/primaries.ts";
import type { State } from "../registry/state.ts";
import { type ChangeExecutor, DIRECTORY } from "../changes/change-executor.ts";
import { listed } from "../model/listed.ts";
import type { Publisher } from "../feed/publisher.ts";
import type { Saving } from "./registration-saving.ts";
import type { Replication } from "./replication.ts";
import type { Outage, Store } from "../store/contract.ts";

interface HousekeepingDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
  readonly publisher: Publisher;
  readonly store: Store;
  /** Null where this directory alone uses the store. */
  readonly replication: Replication | null;
  /** Null where directories share the store. */
  readonly saving: Pick<Saving, "save"> | null;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Leases, elections and expiries are looked at this often; it is how exact they are. */
const TICK_MS = 100;
/** Registrations are saved this often, when there are any that nobody waits for. */
const SAVE_MS = 1_000;
/** After a store that could not be written to. */
const RETRY_MS = 5_000;
/** Callers that were not seen for long are forgotten this often. */
const FORGET_MS = 3_600_000;
/** Records written together: within what every store takes at once, see `Store.writesMax`. */
const SETTLED_AT_ONCE = 50;

/** Does what is due, until the signal aborts: leases that end, primaries to be decided, routes whose time is over. */
export async function runHousekeeping(
  deps: HousekeepingDeps,
  { warmUpMs }: { readonly warmUpMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { state, publisher, store, replication, saving, clock, log } = deps;
  const startedMs = clock.monotonicMs();
  const warmUp = new WarmUp({ startedMs, warmUpMs });
  let decideDueMs = startedMs;
  let saveDueMs = startedMs + SAVE_MS;
  let forgetDueMs = startedMs + FORGET_MS;
  const reportOutage = createOutageReport(deps);
  const reportFailure = createFailureReport(deps);
  const tick = async (moment: Moment): Promise<void> => {
    replication?.tick(moment);
    reportOutage(store.outage);
    // Without the store that it shares, a directory does not know what the others see: it ends nothing and decides nothing.
    const able = replication === null || store.outage === null;
    const isWaiting = publisher.warming && !warmUp.isOver(state.registry.returning, moment.monotonicMs);
    if (able && !isWaiting) endLeases(deps, moment);
    if (publisher.warming && !isWaiting && moment.monotonicMs >= startedMs + warmUpMs) {
      // Not sooner: on a machine that is slow to take everyone back, most would be told to all as lost, and then as live
      // again. Whoever is missing now stays because the guard holds its lease, and is shown as lost.
      state.registry.doubt(moment);
      publisher.warm();
      log.info("Warm-up over");
    }
    if (able && moment.monotonicMs >= decideDueMs && !(await decide(deps, moment)))
      decideDueMs = moment.monotonicMs + RETRY_MS;
    if (saving !== null && moment.monotonicMs >= saveDueMs) {
      const saved = await saving.save();
      saveDueMs = clock.monotonicMs() + (saved ? SAVE_MS : RETRY_MS);
    }
    if (able && moment.monotonicMs >= forgetDueMs) {
      await forgetCallers(deps, moment);
      forgetDueMs = clock.monotonicMs() + FORGET_MS;
    }
  };
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    const moment = momentOf(clock);
    try {
      await tick(moment);
    } catch (error) {
      reportFailure(error, moment);
    }
  }
}

/** Logs when a store of this directory alone cannot be written, and when it can again; one that is shared says so itself. */
function createOutageReport({ replication, log }: HousekeepingDeps): (outage: Outage | null) => void {
  let told: Outage | null = null;
  return (outage) => {
    if (replication !== null || (outage === null) === (told === null)) return;
    told = outage;
    if (outage === null) log.info("Store can be written again");
    else log.error("Store cannot be written, taking no changes", { reason: outage.reason });
  };
}

/** Tells of a tick that failed, which happens ten times a second where it goes on; the next one is done all the same. */
function createFailureReport({ faults, log }: HousekeepingDeps): (error: unknown, moment: Moment) => void {
  let told = "";
  return (error, { wallMs }) => {
    const reason = describeError(error);
    if (reason !== told) log.error("What is due could not be done", { error });
    told = reason;
    const remedy = "the directory's log says more; requests and links are served all the same";
    faults.note({ subject: "housekeeping", message: `what is due could not be done: ${reason}`, remedy }, wallMs);
  };
}

function endLeases({ state, publisher, log }: HousekeepingDeps, moment: Moment): void {
  const before = state.registry.guarded;
  const ended = state.registry.endLeases(moment);
  const held = state.registry.guarded;
  if (ended.length > 0) log.info("Leases ended", { instances: ended.length, ended: listed(ended) });
  if (held !== null && before === null) log.error("Leases held by the guard", { ...held, remedy: "dw guard release" });
  if (held === null && before !== null) log.info("Guard holds no more leases");
  publisher.touch();
}

/** Decides what is due; a failure is told once and tried again later, as what is due stays so. */
async function decide({ state, executor, store, faults, log }: HousekeepingDeps, moment: Moment): Promise<boolean> {
  const { outage } = store;
  try {
    const due = state.primaries.due(moment);
    await settleFirst(
      { state, executor, log },
      due.filter(({ replaces }) => replaces === null),
    );
    for (const decision of due) if (decision.replaces !== null) await settleNext({ state, executor }, decision);
    for (const key of expired(state, moment))
      await executor.change((at) => planExpiry(state, key, at), { author: DIRECTORY, undoable: false });
    return true;
  } catch (error) {
    if (outage === null) {
      log.error("What is due could not be stored", { error, retryInMs: RETRY_MS });
      faults.note(failedAt("housekeeping", error), moment.wallMs);
    }
    return false;
  }
}

/** Remembers the first primaries of services, many at once, as after the first start of a large directory. */
async function settleFirst(
  { state, executor, log }: Pick<HousekeepingDeps, "state" | "executor" | "log">,
  decisions: readonly Decision[],
): Promise<void> {
  for (let at = 0; at < decisions.length; at += SETTLED_AT_ONCE) {
    const some = decisions.slice(at, at + SETTLED_AT_ONCE);
    const records = some.map(({ service, primary }) => {
      const record = state.services.record(service) ?? emptyRecord(service);
      return { kind: "service", id: service, value: { ...record, primary } } as const;
    });
    await executor.remember(records);
    const primaries = some.map(({ service, primary }) => `${service}: ${describeGeneration(primary)}`);
    log.info("First primaries remembered", { primaries: primaries.join(", "), ...DIRECTORY });
  }
}

/** Replaces a primary that is gone. */
async function settleNext(
  { state, executor }: Pick<HousekeepingDeps, "state" | "executor">,
  { service, primary, replaces }: Decision,
): Promise<void> {
  const plan = (): Plan => {
    if (state.services.record(service)?.primary !== replaces)
      return { action: "settled at another directory", change: emptyChange(), notes: [] };
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

async function forgetCallers({ state, executor, log }: HousekeepingDeps, { wallMs }: Moment): Promise<void> {
  const names = state.callers.forgettable(wallMs).slice(0, SETTLED_AT_ONCE);
  if (names.length === 0) return;
  try {
    await executor.remember(names.map((id) => ({ kind: "caller", id, value: null })));
  } catch (error) {
    log.warn("Old callers not forgotten", { error });
  }
}
