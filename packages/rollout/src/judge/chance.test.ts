import { fractionsBy } from "@datawire/protocol/testing/chance";
import { expect, test } from "vitest";
import { parseCheck } from "../checks/parse-check.ts";
import { createStepSimulator, type SimulatedVersion } from "../testing/simulated-step.ts";

const ROLLOUTS = 10_000;
const CONFIG = { confidence: 0.99, minimum: 20 };
const GOOD: SimulatedVersion = { errorRate: 0, slowShare: 0, fastMs: 8, slowMs: 400 };

/** A version that is exactly at the limit of each kind of check, beside a primary by which some of them go. */
const AT_THE_LIMIT: readonly (readonly [check: string, target: SimulatedVersion, primary: SimulatedVersion])[] = [
  ["error-rate <= 1%", { ...GOOD, errorRate: 0.01 }, GOOD],
  ["error-rate <= 10%", { ...GOOD, errorRate: 0.1 }, GOOD],
  ["error-rate <= primary + 1%", { ...GOOD, errorRate: 0.03 }, { ...GOOD, errorRate: 0.02 }],
  ["error-rate <= primary * 2", { ...GOOD, errorRate: 0.02 }, { ...GOOD, errorRate: 0.01 }],
  ["p99 <= 300ms", { ...GOOD, slowShare: 0.01 }, GOOD],
  // Fast and slow differ by the factor, and the share that is slow is the one that may be.
  [
    "p99 <= primary * 1.2",
    { ...GOOD, slowShare: 0.01, fastMs: 96, slowMs: 480 },
    { ...GOOD, slowShare: 0.01, fastMs: 80, slowMs: 400 },
  ],
];

test.each(AT_THE_LIMIT)(
  "of 10,000 rollouts at the limit of %s, at most 1%% are decided by chance",
  (text, target, primary) => {
    const random = fractionsBy(1);
    const counts = new Map<string, number>();
    const step = { looks: 20, requestsPerLook: 100, primaryFactor: 4 };
    const simulate = createStepSimulator(parseCheck(text), { target, primary }, step, CONFIG);
    for (let i = 0; i < ROLLOUTS; i++) {
      const { state } = simulate(random);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    const decided = (counts.get("pass") ?? 0) + (counts.get("fail") ?? 0);
    expect(decided, `seed 1: ${JSON.stringify([...counts])}`).toBeLessThanOrEqual(ROLLOUTS * 0.01);
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
