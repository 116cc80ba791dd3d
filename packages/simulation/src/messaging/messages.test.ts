import fc from "fast-check";
import { expect, test } from "vitest";
import { messageHistories } from "./message-events.ts";
import { simulateMessages } from "./simulate-messages.ts";

const isSoak = process.env["DSTACK_SOAK"] === "1";
/** How many histories are tried, always the same ones, and how many new ones with every soak. */
const [RUNS, SOAK_RUNS] = [200, 10_000];

test("whatever happens to a router, its disk and its network, nothing accepted is lost, nothing is invented, and order holds", async () => {
  const property = fc.asyncProperty(messageHistories(), async (history) => void (await simulateMessages(history)));
  const found = await fc.check(property, isSoak ? { numRuns: SOAK_RUNS } : { numRuns: RUNS, seed: 12 });
  const error = found.errorInstance;
  const why = error instanceof Error ? error.message : String(error);
  expect(found.failed ? `${why}\n${JSON.stringify(found.counterexample?.[0])}` : null).toBe(null);
});

test("simulateMessages() goes the same way each time", async () => {
  for (const history of fc.sample(messageHistories(), { numRuns: 3, seed: 34 })) {
    const counts = await simulateMessages(history);
    expect(counts.accepted).toBeGreaterThan(10);
    expect(await simulateMessages(history)).toEqual(counts);
  }
});
