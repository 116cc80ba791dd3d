// Rollouts that judge themselves: what is checked, what was counted, and what follows from it.
export type { Check, CountedCheck, ErrorRateCheck, LatencyCheck, Limit, QueryCheck } from "./checks/check.ts";
export { CHECK_RULE, DEFAULT_CHECK, parseCheck } from "./checks/parse-check.ts";
export { type Confidence, confidenceInterval, type Counted, type Interval } from "./judge/confidence.ts";
export { addEvidence, type Evidence, NO_EVIDENCE } from "./judge/evidence.ts";
export { requestsNeeded } from "./judge/requests-needed.ts";
export { judge, type JudgeConfig, type Sides, type Verdict, type VerdictState } from "./judge/verdict.ts";
export { type Plan, type PlannedStep, POLICIES, type Policy, timeoutOf } from "./plan/plan.ts";
export { DEFAULT_STEPS, readPlan } from "./plan/read-plan.ts";
export { asksGate, DEAD_MS_MAX, look, type Look, type Refusal } from "./progress/look.ts";
export { isOver, type Rollout, ROLLOUT_STATES, type RolloutState, type StepProgress } from "./progress/rollout.ts";
export { abort, type Act, begin, pause, promote, promoted, resume, type Turn } from "./progress/turns.ts";
