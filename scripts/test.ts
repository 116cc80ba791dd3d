// Runs the checks and the tests, each step with its duration, and ends with "N passed, N failed".
//   node scripts/test.ts test    checks, unit tests, end-to-end tests
//   node scripts/test.ts check   checks and unit tests: seconds
//   node scripts/test.ts soak    all tests with their full counts, and random input that is new each time
import { runChecks } from "./checks.ts";
import { type Outcome, printStep } from "./step.ts";
import { runVitest } from "./vitest-run.ts";

type Step = () => Promise<Outcome>;

const NONE: Outcome = { passed: 0, failed: 0 };

const SOAK = { DSTACK_SOAK: "1" };
const plans = new Map<string, readonly Step[]>(
  Object.entries({
    // End-to-end tests wait for processes and for time: the unit tests fill what they leave of two cores.
    test: [
      runChecks,
      () =>
        together(
          () => runVitest("e2e"),
          () => runVitest("unit", { beside: true }),
        ),
    ],
    check: [runChecks, () => runVitest("unit")],
    soak: [() => runVitest("unit", { env: SOAK }), () => runVitest("e2e", { env: SOAK })],
  }),
);

const name = process.argv[2] ?? "test";
const plan = plans.get(name);
if (plan === undefined) {
  console.error(`Cannot run ${JSON.stringify(name)}: wanted one of ${[...plans.keys()].join(", ")}`);
  process.exit(64);
}

const startedAt = performance.now();
let total = NONE;
for (const step of plan) total = sum(total, await step());
printStep("done", performance.now() - startedAt, total.failed === 0);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function together(...steps: readonly Step[]): Promise<Outcome> {
  return (await Promise.all(steps.map((step) => step()))).reduce(sum, NONE);
}

function sum(a: Outcome, b: Outcome): Outcome {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}
