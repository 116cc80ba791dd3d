import type { RolloutListing } from "@datawire/api";
import { expect, test } from "vitest";
import { isGoing, namedBy, shareOf, sideOf, unitOf } from "./data.ts";

const rollout = (state: RolloutListing["state"], step: number): RolloutListing => ({
  id: "1",
  service: "barker",
  target: "//barker(2)",
  from: null,
  state,
  step,
  steps: [1, 10].map((share) => ({
    share,
    forMs: 1,
    state: "waiting",
    startedAt: null,
    watchedMs: 0,
    requests: 0,
    checks: [],
  })),
  reason: null,
  by: "me",
  startedAt: "2026-01-01T00:00:00Z",
  endedAt: null,
});

test.each([
  ["running", 1, 10, true],
  ["paused", 0, 1, true],
  ["promoted", 1, 100, false],
  ["rolled-back", 1, 0, false],
] as const)("shareOf() and isGoing() of one that is %s at step %s: %s, %s", (state, step, share, going) => {
  expect([shareOf(rollout(state, step)), isGoing(rollout(state, step))]).toEqual([share, going]);
});

test.each([
  ["error-rate <= 1%", "%"],
  ["p99 <= 300ms", "ms"],
  ["checkout", ""],
])("unitOf() %s is %j", (name, unit) => {
  expect(unitOf({ name })).toBe(unit);
});

test.each([
  ["//barker(2)", { by: "version", name: "2" }],
  ["//barker@vm1", { by: "instance", name: "vm1" }],
  ["//barker", null],
])("namedBy() %s is %j", (target, expected) => {
  expect(namedBy(target)).toEqual(expected);
});

test.each([
  ["2.0.1", "target"],
  ["1.4", "primary"],
  ["3", null],
  [null, null],
])("sideOf() the version %s, of //barker(2) beside 1: %s", (version, expected) => {
  expect(sideOf(version, "//barker(2)", "1")).toBe(expected);
});
