import type { DownCause } from "@datawire/protocol";

/** What one probe found. */
export type Probe =
  | { readonly ok: true }
  /** Without a cause it `failed`: there was an answer, or the fault may be the check's own. */
  | { readonly ok: false; readonly reason: string; readonly cause?: DownCause };

/** Why something is down, for people and for programs. */
export interface Failure {
  readonly reason: string;
  readonly cause: DownCause;
}

/** What Watson believes of one check of an instance, and how close it is to changing its mind. */
export type Belief =
  | { readonly state: "unknown" }
  | { readonly state: "live"; readonly failures: number }
  | ({ readonly state: "down"; readonly passes: number } & Failure);

/** How many probes in a row change a belief. */
export interface Thresholds {
  /** Passes in a row that bring a down instance back. */
  readonly rise: number;
  /** Failures in a row that take a live instance out. */
  readonly fall: number;
}

/** Before the first probe. */
export const UNKNOWN: Belief = { state: "unknown" };
/** Without a failure. */
export const LIVE: Belief = { state: "live", failures: 0 };

/** Folds one probe into a belief; the same object comes back when nothing changed. */
export function observe(belief: Belief, probe: Probe, { rise, fall }: Thresholds): Belief {
  // The first probe decides alone: there is nothing to flap from, and waiting delays the first announcement.
  if (belief.state === "unknown") return probe.ok ? LIVE : down(probe);
  if (probe.ok) {
    if (belief.state === "live") return LIVE;
    const passes = belief.passes + 1;
    return passes < rise ? { ...belief, passes } : LIVE;
  }
  if (belief.state === "down") {
    return belief.passes === 0 && belief.reason === probe.reason ? belief : down(probe);
  }
  const failures = belief.failures + 1;
  return failures < fall ? { state: "live", failures } : down(probe);
}

/** Whether the next probe should come soon rather than at its interval: a failure is not yet believed. */
export function isInDoubt(belief: Belief): boolean {
  return belief.state === "live" && belief.failures > 0;
}

const down = ({ reason, cause = "failed" }: Extract<Probe, { ok: false }>): Belief => {
  return { state: "down", passes: 0, reason, cause };
};
