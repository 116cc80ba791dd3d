import type { Check, QueryCheck } from "../checks/check.ts";
import { judge, type Sides, type Verdict } from "../judge/verdict.ts";
import { type Plan, type PlannedStep, type Policy, timeoutOf } from "../plan/plan.ts";
import { describeFailure } from "./describe.ts";
import { failed, passStep, paused, type Turn } from "./turns.ts";
import type { Rollout, StepProgress } from "./rollout.ts";

/** For how long a target may have no live instance. */
export const DEAD_MS_MAX = 10_000;

/** What is new since the last look. */
export interface Look {
  readonly nowMs: number;
  /** For how much of the time since the last look somebody watched. */
  readonly watchedMs: number;
  /** All that was counted in this step so far, of its requests alone. */
  readonly counted: Sides;
  /** For how much of the time since the last look the target has had no live instance, up to now; null while it has one. */
  readonly deadMs: number | null;
  /** What queries gave, by the name of the check: a number, or why there is none. */
  readonly values: ReadonlyMap<string, number | Refusal>;
  /** Whether the gate agrees; null when it was not asked. */
  readonly agreed: true | Refusal | null;
}

/** Why a gate does not agree, or a query gives no number. */
export interface Refusal {
  /** After "it": `is answered with 503`. */
  readonly why: string;
}

/** Whether the gate of the current step is to be asked: its time is over and nothing else holds it back. */
export function asksGate({ plan, state, step, steps }: Rollout): boolean {
  const planned = plan.steps[step] as PlannedStep;
  const at = steps[step] as StepProgress;
  if (state !== "running" || planned.gate === null || at.agreed) return false;
  return (
    at.watchedMs >= planned.forMs && at.verdicts.length > 0 && at.verdicts.every(({ state: said }) => said === "pass")
  );
}

/** Judges a running rollout once more. What is over or paused stays as it is. */
export function look(rollout: Rollout, seen: Look): Turn {
  if (rollout.state !== "running") return { rollout, act: null };
  const { plan, step } = rollout;
  const planned = plan.steps[step] as PlannedStep;
  const at = watched(rollout, seen);
  const after = withReason({ ...rollout, steps: rollout.steps.with(step, at) }, seen);
  const bad = at.verdicts.find(({ state }) => state === "fail");
  if (bad !== undefined) return failed(after, describeFailure(bad));
  if (at.deadMs >= DEAD_MS_MAX)
    return failed(after, `${plan.target} had no live instance for ${DEAD_MS_MAX / 1_000} s`);
  if (at.watchedMs < planned.forMs) return { rollout: after, act: null };
  if (at.verdicts.every(({ state }) => state === "pass") && (planned.gate === null || at.agreed)) {
    return passStep(after, seen.nowMs);
  }
  return at.watchedMs < timeoutOf(plan, planned) ? { rollout: after, act: null } : timedOut(after, at, seen);
}

/** A gate that does not agree is the reason why a step goes on, until it is asked again. */
function withReason(rollout: Rollout, { agreed }: Look): Rollout {
  if (!asksGate(rollout)) return { ...rollout, reason: null };
  if (agreed === null || agreed === true) return rollout;
  return { ...rollout, reason: `the gate of step ${rollout.step + 1} does not agree: it ${agreed.why}` };
}

/** The step with what is new in it. */
function watched({ plan, step, steps }: Rollout, seen: Look): StepProgress {
  const before = steps[step] as StepProgress;
  const { target, primary } = seen.counted;
  const beyond = plan.checks.map((check, i) => beyondOf(check, before.beyond[i] ?? 0, seen));
  return {
    ...before,
    watchedMs: before.watchedMs + seen.watchedMs,
    target,
    primary,
    beyond,
    verdicts: plan.checks.map((check, i) =>
      verdictOf(check, { plan, sides: { target, primary }, seen, beyond: beyond[i] ?? 0 }),
    ),
    deadMs: seen.deadMs === null ? 0 : before.deadMs + seen.deadMs,
    agreed: before.agreed || seen.agreed === true,
  };
}

interface Judged {
  readonly plan: Plan;
  readonly sides: Sides;
  readonly seen: Look;
  readonly beyond: number;
}

function verdictOf(check: Check, { plan, sides, seen, beyond }: Judged): Verdict {
  if (check.kind !== "query") return judge(check, sides, plan);
  const value = numberOf(check, seen);
  const within = value === undefined ? "no-data" : isWithin(check, value) ? "pass" : "undecided";
  return {
    name: check.name,
    state: beyond >= check.failures ? "fail" : within,
    target: value ?? null,
    baseline: null,
    limit: check.value,
    requests: sides.target.requests,
    lower: null,
    upper: null,
  };
}

/** A query without an answer neither fails a check nor takes back what failed before. */
function beyondOf(check: Check, before: number, seen: Look): number {
  if (check.kind !== "query") return 0;
  const value = numberOf(check, seen);
  if (value === undefined) return before;
  return isWithin(check, value) ? 0 : before + 1;
}

function numberOf({ name }: QueryCheck, { values }: Look): number | undefined {
  const said = values.get(name);
  return typeof said === "number" ? said : undefined;
}

function isWithin({ compare, value: limit }: QueryCheck, value: number): boolean {
  switch (compare) {
    case "<=":
      return value <= limit;
    case "<":
      return value < limit;
    case ">=":
      return value >= limit;
    case ">":
      return value > limit;
  }
}

/** From what lets a step go on to what ends it: the strictest that applies decides. */
const STRICTNESS: readonly Policy[] = ["pass", "wait", "pause", "fail"];

function timedOut(rollout: Rollout, at: StepProgress, { agreed, values, nowMs }: Look): Turn {
  const { plan } = rollout;
  const open = at.verdicts.filter(({ state }) => state !== "pass");
  const policies = open.map(({ state }) => (state === "no-data" ? plan.noData : plan.undecided));
  // All checks pass, so that it is the gate which says nothing.
  if (open.length === 0) policies.push(plan.undecided);
  const policy = policies.toSorted((a, b) => STRICTNESS.indexOf(b) - STRICTNESS.indexOf(a))[0] as Policy;
  const why =
    open.length === 0
      ? `the gate has not agreed in time${whyOf([agreed])}`
      : `${open.map(({ name, state }) => `${name} is ${state === "no-data" ? "without data" : "undecided"}`).join(", ")} in time${whyOf(open.map(({ name }) => values.get(name)))}`;
  switch (policy) {
    case "wait":
      return { rollout, act: null };
    case "pause":
      return paused(rollout, why);
    case "pass":
      return passStep(rollout, nowMs);
    case "fail":
      return failed(rollout, why);
  }
}

/** Why those who were asked gave no answer that is of use: the first of them, as they are often the same one. */
function whyOf(said: readonly (Refusal | number | true | null | undefined)[]): string {
  const refusal = said.find((one) => typeof one === "object" && one !== null);
  return typeof refusal === "object" && refusal !== null ? `: it ${refusal.why}` : "";
}
