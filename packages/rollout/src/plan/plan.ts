import type { Check } from "../checks/check.ts";

/** What becomes of a step whose time is over while a check says nothing: go on watching, stop for a hand, pass it, fail it. */
export const POLICIES = ["wait", "pause", "pass", "fail"] as const;
/** One of `POLICIES`. */
export type Policy = (typeof POLICIES)[number];

/** One step of a rollout. */
export interface PlannedStep {
  /** In slots of `SLOTS`. */
  readonly share: number;
  /** For how long it is watched at the least. */
  readonly forMs: number;
  /** Asked before the step ends; null without one. */
  readonly gate: string | null;
  /** Whether a hand has to let it go on. */
  readonly pause: boolean;
}

/** What a rollout is to do, read. */
export interface Plan {
  /** Canonical address of a version or an instance: `//barker(2)`. */
  readonly target: string;
  /** The name of the caller whose requests it takes; null for all of them. */
  readonly from: string | null;
  readonly steps: readonly PlannedStep[];
  readonly checks: readonly Check[];
  readonly noData: Policy;
  readonly undecided: Policy;
  /** After how much watched time the policies decide; null for three times what each step is watched for. */
  readonly stepTimeoutMs: number | null;
  /** Of a check, how many requests it needs before it says anything. */
  readonly minimum: number;
  /** 0.99 for 99%. */
  readonly confidence: number;
  /** As typed; null where requests draw freely. */
  readonly sticky: string | null;
  /** Whether the target becomes the primary at the end, or its last share stays. */
  readonly finish: "promote" | "keep";
}

/** After how much watched time the policies of a step decide. */
export function timeoutOf(plan: Plan, step: PlannedStep): number {
  return Math.max(plan.stepTimeoutMs ?? 3 * step.forMs, step.forMs);
}
