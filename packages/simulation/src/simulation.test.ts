import fc from "fast-check";
import { expect, test } from "vitest";
import { histories } from "./histories.ts";
import { simulate } from "./simulate.ts";

const isSoak = process.env["DSTACK_SOAK"] === "1";
const options = isSoak ? { numRuns: 10_000 } : { numRuns: 150, seed: 12 };

/** What a history that fails looks like, for a test of its own. */
const report = (history: unknown, error: unknown): string =>
  `${error instanceof Error ? error.message : String(error)}\n${JSON.stringify(history)}`;

test(
  "whatever happens, nothing acknowledged is lost, and all are of one mind once it is quiet",
  { timeout: 3_600_000 },
  async () => {
    const found = await fc.check(
      fc.asyncProperty(histories, async (history) => void (await simulate(history))),
      options,
    );
    expect(found.failed ? report(found.counterexample?.[0], found.errorInstance) : null).toBe(null);
  },
);

test("simulate() goes the same way each time", async () => {
  for (const history of fc.sample(histories, { numRuns: 5, seed: 34 }))
    expect(await simulate(history)).toEqual(await simulate(history));
});
