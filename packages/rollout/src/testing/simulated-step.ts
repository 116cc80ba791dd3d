import { toHistogram } from "@datawire/protocol";
import type { CountedCheck } from "../checks/check.ts";
import { addEvidence, type Evidence, NO_EVIDENCE } from "../judge/evidence.ts";
import { judge, type JudgeConfig, type Verdict } from "../judge/verdict.ts";

/** What a simulated version does to its requests. */
export interface SimulatedVersion {
  /** Of its requests, 0 to 1. */
  readonly errorRate: number;
  /** Of its requests, those that take `slowMs` instead of `fastMs`. */
  readonly slowShare: number;
  readonly fastMs: number;
  readonly slowMs: number;
}

/** How a simulated step is watched. */
export interface SimulatedStep {
  readonly looks: number;
  readonly requestsPerLook: number;
  /** How many requests the primary gets for each of the target's. */
  readonly primaryFactor: number;
}

/**
 * Watches a step of chance to its first pass or failure, or to its last look.
 * @param random a number of 0 to 1, below 1
 */
export function simulateStep(
  check: CountedCheck,
  versions: { readonly target: SimulatedVersion; readonly primary: SimulatedVersion },
  step: SimulatedStep,
  config: JudgeConfig,
  random: () => number,
): Verdict {
  let [target, primary] = [NO_EVIDENCE, NO_EVIDENCE];
  let verdict = judge(check, { target, primary }, config);
  for (let i = 0; i < step.looks; i++) {
    target = addEvidence(target, requestsOf(versions.target, step.requestsPerLook, random));
    primary = addEvidence(primary, requestsOf(versions.primary, step.requestsPerLook * step.primaryFactor, random));
    verdict = judge(check, { target, primary }, config);
    if (verdict.state === "pass" || verdict.state === "fail") return verdict;
  }
  return verdict;
}

function requestsOf(version: SimulatedVersion, requests: number, random: () => number): Evidence {
  const slow = binomial(requests, version.slowShare, random);
  return {
    requests,
    errors: binomial(requests, version.errorRate, random),
    latencies: toHistogram([
      [version.fastMs, requests - slow],
      [version.slowMs, slow],
    ]),
  };
}

/** How many of `n` happen, each with a chance of `p`: from one to the next that does, which for a rare one is few steps. */
function binomial(n: number, p: number, random: () => number): number {
  if (p <= 0) return 0;
  let count = 0;
  for (let at = gap(p, random); at <= n; at += gap(p, random)) count += 1;
  return count;
}

const gap = (p: number, random: () => number): number => Math.floor(Math.log(1 - random()) / Math.log1p(-p)) + 1;
