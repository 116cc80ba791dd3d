import { bucketsOf, type Counter, generationOf, selectorMatches, toHistogram } from "@datawire/protocol";
import { addEvidence, type Evidence, NO_EVIDENCE, type Sides } from "@datawire/rollout";

/** A revision of one life of the table. */
interface TablePosition {
  readonly epoch: string;
  readonly revision: number;
}

/** What is to be counted of a step. */
export interface CountedStep {
  /** Names the step each time that it begins. */
  readonly turn: string;
  /** Since when it holds, of the monotonic clock. */
  readonly sinceMs: number;
  /** A table that has its share. */
  readonly position: TablePosition;
  readonly service: string;
  /** Whose requests count; `*` for all. */
  readonly caller: string;
  /** The version, or the instance, that is judged. */
  readonly target: { readonly version: string | null; readonly instance: string | null };
  /** The generation that it is compared with. */
  readonly primary: string | null;
}

/** What was counted of a step so far. */
export interface StepCount extends Sides {
  readonly turn: string;
  /** How many messages had something of it. */
  readonly reports: number;
}

/** A message of counters, as it came. */
export interface CounterReport {
  readonly caller: string;
  readonly counters: readonly Counter[];
  readonly periodMs: number;
  /** Of how many requests one was looked at for latencies, where it is not each. */
  readonly oneIn?: number | undefined;
  /** The table that requests went by at the beginning; null for none, left out by an older Sherlock. */
  readonly since?: TablePosition | null | undefined;
}

interface Counting {
  readonly step: CountedStep;
  count: StepCount;
}

/**
 * Counts the requests of the current step of each rollout. A report counts as a whole or not at all: only where all of
 * its time is after the beginning of the step, and all of its requests went by the share of that step, so that one that
 * comes late, or spans the change, tells nothing of the step before. Those who count begin a report with each change of
 * routes, and the next is a second later: that is all that is lost of a step.
 */
export class StepCounts {
  readonly #counting = new Map<string, Counting>();

  /** Counts for a rollout, from nothing where its step has begun. */
  watch(rollout: string, step: CountedStep): void {
    const known = this.#counting.get(rollout);
    if (known?.step.turn === step.turn) return;
    const count = { turn: step.turn, target: NO_EVIDENCE, primary: NO_EVIDENCE, reports: 0 };
    this.#counting.set(rollout, { step, count });
  }

  /** Counts no more for rollouts that are not among these. */
  keep(rollouts: ReadonlySet<string>): void {
    for (const id of this.#counting.keys()) if (!rollouts.has(id)) this.#counting.delete(id);
  }

  take({ caller, counters, periodMs, oneIn = 1, since }: CounterReport, monotonicMs: number): void {
    for (const counting of this.#counting.values()) {
      const { step } = counting;
      if (monotonicMs - periodMs < step.sinceMs || isBefore(since, step.position)) continue;
      if (step.caller !== "*" && step.caller !== caller) continue;
      let { target, primary } = counting.count;
      for (const counter of counters) {
        if (counter.service !== step.service || counter.instance === null) continue;
        if (isTarget(step, counter)) target = addEvidence(target, evidenceOf(counter, oneIn));
        else if (generationOf(counter.version) === step.primary)
          primary = addEvidence(primary, evidenceOf(counter, oneIn));
      }
      if (target === counting.count.target && primary === counting.count.primary) continue;
      counting.count = { ...counting.count, target, primary, reports: counting.count.reports + 1 };
    }
  }

  /** What was counted for a rollout; null where nobody counts. */
  of(rollout: string): StepCount | null {
    return this.#counting.get(rollout)?.count ?? null;
  }
}

/** Of another life of the table nothing is known, as of an older Sherlock: there, the time alone decides. */
function isBefore(since: CounterReport["since"], { epoch, revision }: TablePosition): boolean {
  return since === null || (since?.epoch === epoch && since.revision < revision);
}

function isTarget({ target }: CountedStep, { version, instance }: Pick<Counter, "version" | "instance">): boolean {
  if (target.instance !== null && target.instance !== instance) return false;
  return target.version === null || selectorMatches(target.version, version);
}

/**
 * Errors are 5xx answers and connections that failed. Of a sample only those requests count that were looked at: ten that
 * are told for one would make a verdict ten times surer than it is.
 */
function evidenceOf({ requests, responses, failures, latencies = [] }: Counter, oneIn: number): Evidence {
  const looked = [...bucketsOf(latencies)].map(([ms, count]) => [ms, Math.floor(count / oneIn)] as const);
  return { requests, errors: responses[4] + failures, latencies: toHistogram(looked.filter(([, count]) => count > 0)) };
}
