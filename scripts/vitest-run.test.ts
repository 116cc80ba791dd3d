import { expect, test } from "vitest";
import { outcomeOf } from "./vitest-run.ts";

test.each([
  [{ numPassedTests: 5, numFailedTests: 0 }, 0, { passed: 5, failed: 0 }],
  [{ numPassedTests: 5, numFailedTests: 2 }, 1, { passed: 5, failed: 2 }],
  [{ numPassedTests: 5, numFailedTests: 0 }, 1, { passed: 5, failed: 1 }],
  [null, 0, { passed: 0, failed: 0 }],
  [null, null, { passed: 0, failed: 1 }],
])("outcomeOf() of %j and exit code %s", (report, code, expected) => {
  expect(outcomeOf(report, code)).toEqual(expected);
});
