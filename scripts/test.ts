// Runs the checks and the tests, each step with its duration, and ends with "N passed, N failed".
//   node scripts/test.ts test    checks, unit tests, end-to-end tests
//   node scripts/test.ts check   checks and unit tests: seconds
//   node scripts/test.ts soak    all tests with their full counts, and random input that is new each time
import { runChecks } from "./checks.ts";
import { type Outcome, printStep } from "./step.ts";
import { runVitest } from "./vitest-run.ts";

type Step = () => Promise<Outcome>;

const SOAK = { DSTACK_SOAK: "1" };
const unit: Step = () => runVitest("unit");
const endToEnd: Step = () => runVitest("e2e");
const plans = new Map<string, readonly Step[]>(
  Object.entries({
    test: [runChecks, unit, endToEnd],
    check: [runChecks, unit],
    soak: [() => runVitest("unit", SOAK), () => runVitest("e2e", SOAK)],
  }),
);

const name = process.argv[2] ?? "test";
const plan = plans.get(name);
if (plan === undefined) {
  console.error(`Cannot run ${JSON.stringify(name)}: wanted one of ${[...plans.keys()].join(", ")}`);
  process.exit(64);
}

const startedAt = performance.now();
let total: Outcome = { passed: 0, failed: 0 };
// One after the other: end-to-end tests measure time, and two cores are soon busy.
for (const step of plan) {
  const outcome = await step();
  total = { passed: total.passed + outcome.passed, failed: total.failed + outcome.failed };
}
printStep("done", performance.now() - startedAt, total.failed === 0);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
