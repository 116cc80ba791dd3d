import type { Evidence } from "../judge/evidence.ts";
import type { Verdict } from "../judge/verdict.ts";
import type { Plan } from "../plan/plan.ts";

/** `promoting`: all steps have passed, and what ends the rollout is not in the store yet. */
export const ROLLOUT_STATES = ["running", "paused", "promoting", "promoted", "rolled-back", "aborted"] as const;
/** One of `ROLLOUT_STATES`. */
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** States from which a rollout never comes back. */
export const isOver = (state: RolloutState): boolean =>
  state === "promoted" || state === "rolled-back" || state === "aborted";

/** What was seen of one step so far. Times are milliseconds since 1970. */
export interface StepProgress {
  readonly state: "waiting" | "running" | "passed" | "failed";
  readonly startedAtMs: number | null;
  /** How long somebody looked, without pauses and without the time in which nobody judged. */
  readonly watchedMs: number;
  readonly target: Evidence;
  readonly primary: Evidence;
  readonly verdicts: readonly Verdict[];
  /** How many answers of each query in a row were beyond its limit, in the order of the plan's checks. */
  readonly beyond: readonly number[];
  /** For how long the target has had no live instance, up to now. */
  readonly deadMs: number;
  /** Whether the gate has agreed. */
  readonly agreed: boolean;
}

/** A rollout as it stands. */
export interface Rollout {
  readonly plan: Plan;
  readonly state: RolloutState;
  /** Index of the step that it is at. */
  readonly step: number;
  readonly steps: readonly StepProgress[];
  /** Why it stands as it does, in one sentence; null where nothing needs a reason. */
  readonly reason: string | null;
}
