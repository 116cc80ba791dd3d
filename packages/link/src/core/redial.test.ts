import { expect, test } from "vitest";
import { type Failure, type Redial, afterFailure, afterLoss, attemptMsMax, firstDial, withLease } from "./redial.ts";

const random = (): number => 0.5;

const unknown = { random, leaseMs: null };

/** The replica and the wait of each attempt after the first. */
function attempts(replicas: number, failures: readonly Failure[]): string[] {
  let dial: Redial = firstDial({ replicas, ...unknown });
  return failures.map((failure) => {
    const next = afterFailure(dial, failure, { replicas, ...unknown });
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

test.each<[number | null, Failure, number, string]>([
  [null, "unreachable", 1_000, "with a lease that is not known"],
  [1_000, "unreachable", 200, "with a lease of a second"],
  [2_000, "unreachable", 400, "with a lease of two"],
  [15_000, "unreachable", 3_000, "with the default lease"],
  [600_000, "unreachable", 3_000, "with a long one"],
  [null, "refused", 30_000, "where it is refused and no lease is known"],
  [2_000, "refused", 1_000, "where it is refused by one with a lease of two seconds"],
  [15_000, "refused", 7_500, "where it is refused by one with the default lease"],
  [600_000, "refused", 30_000, "where it is refused by one with a long lease"],
])("afterFailure() with a lease of %s waits after %s less than %i ms: %s", (leaseMs, failure, boundMs) => {
  const options = { replicas: 1, random: () => 0.999, leaseMs };
  let dial: Redial = firstDial(options);
  let longestMs = 0;
  for (let i = 0; i < 100; i++) {
    const next = afterFailure(dial, failure, options);
    longestMs = Math.max(longestMs, next.delayMs);
    dial = next.dial;
  }
  expect(longestMs).toBeLessThan(boundMs);
  expect(longestMs).toBeGreaterThan(boundMs * 0.9);
});

test("withLease() bounds the waits of an attempt that is under way", () => {
  const options = { replicas: 1, random: () => 0.999, leaseMs: null };
  let dial: Redial = firstDial(options);
  for (let i = 0; i < 20; i++) dial = afterFailure(dial, "unreachable", options).dial;
  const known = { ...options, leaseMs: 1_000 };
  dial = withLease(dial, known);
  for (let i = 0; i < 20; i++) {
    const next = afterFailure(dial, "unreachable", known);
    expect(next.delayMs).toBeLessThan(200);
    dial = next.dial;
  }
});

test.each([
  [null, 5_000],
  [500, 1_000],
  [2_000, 1_000],
  [6_000, 3_000],
  [15_000, 5_000],
])("attemptMsMax() with a lease of %s is %i ms", (leaseMs, expected) => {
  expect(attemptMsMax(leaseMs)).toBe(expected);
});

test("afterLoss() goes to the next replica and forgets what failed before", () => {
  const options = { replicas: 2, ...unknown };
  const failed = afterFailure(firstDial(options), "unreachable", options).dial;
  expect(afterLoss(failed, options)).toMatchObject({ replica: 0, failures: [], backoff: { attempt: 0 } });
  expect(afterLoss(firstDial({ replicas: 1, ...unknown }), { replicas: 1, ...unknown })).toMatchObject({ replica: 0 });
});
