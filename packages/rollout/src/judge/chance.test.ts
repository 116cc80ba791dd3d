import { fractionsBy } from "@datawire/protocol/testing/chance";
import { expect, test } from "vitest";
import { parseCheck } from "../checks/parse-check.ts";
import { createStepSimulator, type SimulatedVersion } from "../testing/simulated-step.ts";

const ROLLOUTS = 10_000;
const CONFIG = { confidence: 0.99, minimum: 20 };
const GOOD: SimulatedVersion = { errorRate: 0, slowShare: 0, fastMs: 8, slowMs: 400 };

interface AtTheLimit {
  readonly check: string;
  readonly target: SimulatedVersion;
  readonly primary: SimulatedVersion;
  /** What became of the rollouts with seed 1: numbers that a change of the judge changes. */
  readonly passed: number;
  readonly failed: number;
}

/** A version that is exactly at the limit of each kind of check, beside a primary by which some of them go. */
const AT_THE_LIMIT: readonly AtTheLimit[] = [
  { check: "error-rate <= 1%", target: { ...GOOD, errorRate: 0.01 }, primary: GOOD, passed: 47, failed: 10 },
  { check: "error-rate <= 10%", target: { ...GOOD, errorRate: 0.1 }, primary: GOOD, passed: 16, failed: 15 },
  {
    check: "error-rate <= primary",
    target: { ...GOOD, errorRate: 0.02 },
    primary: { ...GOOD, errorRate: 0.02 },
    passed: 0,
    failed: 0,
  },
  {
    check: "error-rate <= primary + 1%",
    target: { ...GOOD, errorRate: 0.03 },
    primary: { ...GOOD, errorRate: 0.02 },
    passed: 1,
    failed: 0,
  },
  {
    check: "error-rate <= primary * 2",
    target: { ...GOOD, errorRate: 0.02 },
    primary: { ...GOOD, errorRate: 0.01 },
    passed: 0,
    failed: 0,
  },
  { check: "p99 <= 300ms", target: { ...GOOD, slowShare: 0.01 }, primary: GOOD, passed: 47, failed: 10 },
  { check: "p50 <= 300ms", target: { ...GOOD, slowShare: 0.5 }, primary: GOOD, passed: 3, failed: 6 },
  {
    // Fast and slow differ by the factor, and the share that is slow is the one that may be.
    check: "p99 <= primary * 1.2",
    target: { ...GOOD, slowShare: 0.01, fastMs: 96, slowMs: 480 },
    primary: { ...GOOD, slowShare: 0.01, fastMs: 80, slowMs: 400 },
    passed: 0,
    failed: 0,
  },
];

test.each(AT_THE_LIMIT)(
  "of 10,000 rollouts at the limit of $check, at most 1% are decided by chance: $passed pass, $failed fail",
  ({ check, target, primary, passed, failed }) => {
    const random = fractionsBy(1);
    const counts = { pass: 0, fail: 0, undecided: 0, "no-data": 0 };
    const step = { looks: 20, requestsPerLook: 100, primaryFactor: 4 };
    const simulate = createStepSimulator(parseCheck(check), { target, primary }, step, CONFIG);
    for (let i = 0; i < ROLLOUTS; i++) counts[simulate(random).state] += 1;
    expect(counts.pass + counts.fail).toBeLessThanOrEqual(ROLLOUTS * 0.01);
    expect(counts).toEqual({ pass: passed, fail: failed, undecided: ROLLOUTS - passed - failed, "no-data": 0 });
  },
);

test.each([
  ["error-rate <= 1%", { ...GOOD, errorRate: 0.05 }],
  ["error-rate <= primary + 1%", { ...GOOD, errorRate: 0.05 }],
  ["p99 <= 300ms", { ...GOOD, slowShare: 0.1 }],
] as const)("a version that is far beyond the limit of %s fails each time", (text, target) => {
  const random = fractionsBy(2);
  const step = { looks: 200, requestsPerLook: 100, primaryFactor: 9 };
  const simulate = createStepSimulator(parseCheck(text), { target, primary: GOOD }, step, CONFIG);
  for (let i = 0; i < 200; i++) {
    expect(simulate(random).state).toBe("fail");
  }
});
