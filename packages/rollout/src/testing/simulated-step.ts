import { toHistogram } from "@datawire/protocol";
import { happening } from "@datawire/protocol/testing/chance";
import type { CountedCheck } from "../checks/check.ts";
import type { Evidence } from "../judge/evidence.ts";
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

/** What one side of a step has come to. */
interface Sum {
  readonly requests: number;
  readonly errors: number;
  readonly slow: number;
}

/** Watches a step of chance to its first pass or failure, or to its last look. */
export type StepSimulator = (random: () => number) => Verdict;

/**
 * Makes what watches steps of two versions. Of ten thousand steps most looks have been seen before: the verdict on the same
 * counts is the same, so that each is judged once.
 */
export function createStepSimulator(
  check: CountedCheck,
  versions: { readonly target: SimulatedVersion; readonly primary: SimulatedVersion },
  step: SimulatedStep,
  config: JudgeConfig,
): StepSimulator {
  const { requestsPerLook, primaryFactor, looks } = step;
  const known = new Map<string, Verdict>();
  const judgeOnce = (target: Sum, primary: Sum): Verdict => {
    const key = `${target.requests} ${target.errors} ${target.slow} ${primary.errors} ${primary.slow}`;
    const verdict =
      known.get(key) ??
      judge(
        check,
        { target: evidenceOf(versions.target, target), primary: evidenceOf(versions.primary, primary) },
        config,
      );
    known.set(key, verdict);
    return verdict;
  };
  /** `random` gives a number of 0 to 1, below 1. */
  return (random) => {
    let [target, primary] = [NOTHING, NOTHING];
    for (let i = 0; ; i++) {
      const verdict = judgeOnce(target, primary);
      if (verdict.state === "pass" || verdict.state === "fail" || i === looks) return verdict;
      target = more(target, versions.target, requestsPerLook, random);
      primary = more(primary, versions.primary, requestsPerLook * primaryFactor, random);
    }
  };
}

const NOTHING: Sum = { requests: 0, errors: 0, slow: 0 };

function more(sum: Sum, version: SimulatedVersion, requests: number, random: () => number): Sum {
  return {
    requests: sum.requests + requests,
    errors: sum.errors + happening(requests, version.errorRate, random),
    slow: sum.slow + happening(requests, version.slowShare, random),
  };
}

function evidenceOf({ fastMs, slowMs }: SimulatedVersion, { requests, errors, slow }: Sum): Evidence {
  const latencies = toHistogram([
    [fastMs, requests - slow],
    [slowMs, slow],
  ]);
  return { requests, errors, latencies };
}
