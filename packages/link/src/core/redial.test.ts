import { expect, test } from "vitest";
import { type Failure, type Redial, afterFailure, afterLoss, firstDial } from "./redial.ts";

const random = (): number => 0.5;

/** The replica and the wait of each attempt after the first. */
function attempts(replicas: number, failures: readonly Failure[]): string[] {
  let dial: Redial = firstDial({ replicas, random });
  return failures.map((failure) => {
    const next = afterFailure(dial, failure, { replicas, random });
    dial = next.dial;
    return `${dial.replica}+${next.delayMs}`;
  });
}

test.each<[number, readonly Failure[], string, string]>([
  [1, ["unreachable", "unreachable", "unreachable"], "0+50 0+100 0+200", "waits longer each time"],
  [2, ["unreachable", "unreachable", "unreachable"], "1+0 0+50 1+0", "waits only after a whole round"],
  [3, ["unreachable", "unreachable", "unreachable"], "1+0 2+0 0+50", "tries the next replica at once"],
  [1, ["refused"], "0+22500", "asks a directory that refuses seldom"],
  [2, ["refused", "unreachable"], "1+0 0+50", "does not wait long while one replica may come back"],
  [2, ["refused", "refused"], "1+0 0+22500", "waits long when all refuse"],
])("afterFailure() with %i replicas after %j goes %s: %s", (replicas, failures, expected) => {
  expect(attempts(replicas, failures).join(" ")).toBe(expected);
});

test("afterFailure() never waits longer than 3 s for a directory that is away", () => {
  let dial: Redial = firstDial({ replicas: 1, random: () => 0.999 });
  for (let i = 0; i < 100; i++) {
    const next = afterFailure(dial, "unreachable", { replicas: 1, random: () => 0.999 });
    expect(next.delayMs).toBeLessThan(3_000);
    dial = next.dial;
  }
});

test("afterLoss() goes to the next replica and forgets what failed before", () => {
  const options = { replicas: 2, random };
  const failed = afterFailure(firstDial(options), "unreachable", options).dial;
  expect(afterLoss(failed, options)).toMatchObject({ replica: 0, failures: [], backoff: { attempt: 0 } });
  expect(afterLoss(firstDial({ replicas: 1, random }), { replicas: 1, random })).toMatchObject({ replica: 0 });
});
