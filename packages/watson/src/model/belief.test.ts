import { expect, test } from "vitest";
import { type Belief, isInDoubt, LIVE, observe, UNKNOWN } from "./belief.ts";

const FAILED = { ok: false, reason: "503" } as const;

// Probes in order: "+" passes, "-" fails.
test.each([
  ["+", { rise: 1, fall: 3 }, "live", "believes the first pass"],
  ["-", { rise: 1, fall: 3 }, "down", "believes the first failure"],
  ["+--", { rise: 1, fall: 3 }, "live", "rides out fewer failures than the limit"],
  ["+---", { rise: 1, fall: 3 }, "down", "falls on the last failure allowed"],
  ["+--+--", { rise: 1, fall: 3 }, "live", "forgets failures after a pass"],
  ["-+", { rise: 1, fall: 3 }, "live", "rises on one pass"],
  ["-++", { rise: 3, fall: 3 }, "down", "stays down for fewer passes than the limit"],
  ["-+++", { rise: 3, fall: 3 }, "live", "rises on the last pass needed"],
  ["-++-++", { rise: 3, fall: 3 }, "down", "forgets passes after a failure"],
  ["+-", { rise: 1, fall: 1 }, "down", "falls at once where one failure is enough"],
])("observe() %s with %o is %s: %s", (probes, thresholds, expected) => {
  let belief: Belief = UNKNOWN;
  for (const probe of probes) belief = observe(belief, probe === "+" ? { ok: true } : FAILED, thresholds);
  expect(belief.state).toBe(expected);
});

test("observe() returns the same object when nothing changed", () => {
  const limits = { rise: 2, fall: 2 };
  expect(observe(LIVE, { ok: true }, limits)).toBe(LIVE);
  const down = observe(UNKNOWN, FAILED, limits);
  expect(observe(down, FAILED, limits)).toBe(down);
});

test("observe() keeps the latest reason", () => {
  const down = observe(UNKNOWN, FAILED, { rise: 1, fall: 1 });
  expect(observe(down, { ok: false, reason: "404" }, { rise: 1, fall: 1 })).toMatchObject({ reason: "404" });
});

test("isInDoubt() is true between the first failure and the last", () => {
  expect(isInDoubt(LIVE)).toBe(false);
  expect(isInDoubt(observe(LIVE, FAILED, { rise: 1, fall: 2 }))).toBe(true);
  expect(isInDoubt(observe(LIVE, FAILED, { rise: 1, fall: 1 }))).toBe(false);
});
