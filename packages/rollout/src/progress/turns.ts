import { NO_EVIDENCE } from "../judge/evidence.ts";
import type { Plan, PlannedStep } from "../plan/plan.ts";
import { isOver, type Rollout, type RolloutState, type StepProgress } from "./rollout.ts";

/**
 * What is to be done to the routes in the same change in which the rollout is stored: the target gets a share; it becomes
 * the primary; its last share stays, which is nothing to do; the routes are those from before.
 */
export type Act =
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "promote" }
  | { readonly kind: "restore" };

/** A rollout after something happened, and what follows for the routes; null for nothing. */
export interface Turn {
  readonly rollout: Rollout;
  readonly act: Act | null;
}

const WAITING: StepProgress = {
  state: "waiting",
  startedAtMs: null,
  watchedMs: 0,
  target: NO_EVIDENCE,
  primary: NO_EVIDENCE,
  verdicts: [],
  beyond: [],
  deadMs: 0,
  agreed: false,
};

/** Begins a rollout with its first step. */
export function begin(plan: Plan, nowMs: number): Turn {
  const rollout: Rollout = { plan, state: "running", step: 0, steps: plan.steps.map(() => WAITING), reason: null };
  return enter(rollout, 0, nowMs);
}

/** Stops for a hand: the shares stay as they are. */
export function pause(rollout: Rollout, reason: string): Turn {
  return rollout.state === "running" ? paused(rollout, reason) : { rollout, act: null };
}

/**
 * Goes on after a pause: with the next step where the current one had passed and waited for a hand, else with the current
 * one, whose share is set again, as a hand may have changed it, and whose numbers begin anew.
 */
export function resume(rollout: Rollout, nowMs: number): Turn {
  if (rollout.state !== "paused") return { rollout, act: null };
  const running: Rollout = { ...rollout, state: "running", reason: null };
  const at = running.steps[running.step] as StepProgress;
  return at.state === "passed" ? proceed(running, nowMs) : enter(running, running.step, nowMs);
}

/** Ends it by hand: the routes from before come back. */
export function abort(rollout: Rollout, reason: string): Turn {
  return isOver(rollout.state) ? { rollout, act: null } : ended(rollout, "aborted", reason);
}

/** Goes to the end at once, by hand; with `oneStep` to the next step, which after the last one is the end. */
export function promote(
  rollout: Rollout,
  { oneStep, nowMs }: { readonly oneStep: boolean; readonly nowMs: number },
): Turn {
  if (isOver(rollout.state)) return { rollout, act: null };
  const running: Rollout = { ...rollout, state: "running", reason: null };
  const passed = passedStep(running);
  if (oneStep) return proceed(passed, nowMs);
  return finish(passed);
}

/** The end of `promoting`: what ends the rollout has been done. */
export function promoted(rollout: Rollout): Rollout {
  return { ...rollout, state: "promoted" };
}

/** The current step has passed; one that waits for a hand pauses there. */
export function passStep(rollout: Rollout, nowMs: number): Turn {
  const planned = rollout.plan.steps[rollout.step] as PlannedStep;
  const passed: Rollout = { ...passedStep(rollout), reason: null };
  return planned.pause
    ? paused(passed, `step ${rollout.step + 1} has passed and waits for a hand`)
    : proceed(passed, nowMs);
}

/** Takes the target back because of what was seen. */
export function failed(rollout: Rollout, reason: string): Turn {
  return ended(withStep(rollout, { state: "failed" }), "rolled-back", reason);
}

/** Stops with a reason. */
export function paused(rollout: Rollout, reason: string): Turn {
  return { rollout: { ...rollout, state: "paused", reason }, act: null };
}

function proceed(rollout: Rollout, nowMs: number): Turn {
  const next = rollout.step + 1;
  return next < rollout.plan.steps.length ? enter(rollout, next, nowMs) : finish(rollout);
}

function finish(rollout: Rollout): Turn {
  if (rollout.plan.finish === "keep") {
    const last = rollout.plan.steps.at(-1) as PlannedStep;
    return { rollout: { ...rollout, state: "promoted" }, act: { kind: "share", share: last.share } };
  }
  return { rollout: { ...rollout, state: "promoting" }, act: { kind: "promote" } };
}

function enter(rollout: Rollout, step: number, nowMs: number): Turn {
  const { share } = rollout.plan.steps[step] as PlannedStep;
  const begun: StepProgress = { ...WAITING, state: "running", startedAtMs: nowMs };
  return { rollout: { ...rollout, step, steps: rollout.steps.with(step, begun) }, act: { kind: "share", share } };
}

function ended(rollout: Rollout, state: RolloutState, reason: string): Turn {
  return { rollout: { ...rollout, state, reason }, act: { kind: "restore" } };
}

/** What its verdicts were made of is of no use any more but for how much it was. */
function passedStep(rollout: Rollout): Rollout {
  const { target, primary } = rollout.steps[rollout.step] as StepProgress;
  const counted = { target: { ...target, latencies: [] }, primary: { ...primary, latencies: [] } };
  return withStep(rollout, { state: "passed", ...counted });
}

function withStep(rollout: Rollout, change: Partial<StepProgress>): Rollout {
  const at = rollout.steps[rollout.step] as StepProgress;
  return { ...rollout, steps: rollout.steps.with(rollout.step, { ...at, ...change }) };
}
