import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("Turns has one timer for all checks of a moment", async () => {
  const clock = createFakeClock();
  const turns = new Turns(clock);
  const made: string[] = [];
  for (const name of ["a", "b", "c"]) turns.at(1_000, () => made.push(`${name} at ${clock.monotonicMs()}`));
  turns.at(2_000, () => made.push("later"));
  expect(clock.pending()).toBe(2);
  await clock.advance(1_000);
  expect(made).toEqual(["a at 1000", "b at 1000", "c at 1000"]);
  await clock.advance(1_000);
  expect(made.at(-1)).toBe("later");
  expect(clock.pending()).toBe(0);
});

test("Turns makes no check that was taken back, also by one of the same moment, and ends a timer for none", async () => {
  const clock = createFakeClock();
  const turns = new Turns(clock);
  const made: string[] = [];
  const cancels: (() => void)[] = [];
  cancels.push(turns.at(1_000, () => made.push("first")));
  turns.at(1_000, () => cancels[2]?.());
  cancels.push(turns.at(500, () => made.push("alone")));
  cancels.push(turns.at(1_000, () => made.push("taken back meanwhile")));
  cancels[0]?.();
  cancels[1]?.();
  expect(clock.pending()).toBe(1);
  await clock.advance(1_000);
  expect(made).toEqual([]);
  // What is taken back too late disturbs no check of the same moment.
  turns.at(1_000, () => made.push("another"));
  cancels[0]?.();
  await clock.advance(0);
  expect(made).toEqual(["another"]);
});

test("Turns makes at once what is due already", async () => {
  const clock = createFakeClock();
  await clock.advance(5_000);
  const turns = new Turns(clock);
  const made: number[] = [];
  turns.at(4_000, () => made.push(clock.monotonicMs()));
  await clock.advance(0);
  expect(made).toEqual([5_000]);
});
