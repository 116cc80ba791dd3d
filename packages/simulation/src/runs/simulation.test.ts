import fc from "fast-check";
import { expect, test } from "vitest";
import { historiesOf, type Shape } from "./histories.ts";
import { simulate } from "./simulate.ts";

const isSoak = process.env["DSTACK_SOAK"] === "1";

/** How many histories are tried of each shape, always the same ones, and how many new ones with every soak. */
const shapes: readonly (Shape & { readonly runs: number; readonly soakRuns: number })[] = [
  { store: "embedded", directories: 1, watsons: 3, sherlocks: 1, runs: 120, soakRuns: 4_000 },
  { store: "etcd", directories: 1, watsons: 2, sherlocks: 1, runs: 40, soakRuns: 1_000 },
  { store: "etcd", directories: 2, watsons: 2, sherlocks: 2, runs: 80, soakRuns: 3_000 },
  { store: "etcd", directories: 3, watsons: 3, sherlocks: 2, runs: 30, soakRuns: 2_000 },
];

test.each(shapes)(
  "whatever happens with $directories directories on $store, nothing acknowledged is lost, and all are of one mind once it is quiet",
  async ({ runs, soakRuns, ...shape }) => {
    const property = fc.asyncProperty(historiesOf(shape), async (history) => void (await simulate(history)));
    const found = await fc.check(property, isSoak ? { numRuns: soakRuns } : { numRuns: runs, seed: 12 });
    expect(found.failed ? report(found.counterexample?.[0], found.errorInstance) : null).toBe(null);
  },
);

test.each(shapes)("simulate() goes the same way each time with $directories directories on $store", async (shape) => {
  for (const history of fc.sample(historiesOf(shape), { numRuns: 3, seed: 34 }))
    expect(await simulate(history)).toEqual(await simulate(history));
});

/** What does not hold, and the shortest history that shows it, to be copied into a test of its own. */
const report = (history: unknown, error: unknown): string =>
  `${error instanceof Error ? error.message : String(error)}\n${JSON.stringify(history)}`;
