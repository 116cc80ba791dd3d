import type { Counter } from "@datawire/protocol";
import { beforeEach, expect, test } from "vitest";
import { type CountedStep, StepCounts } from "./step-counts.ts";

const STEP: CountedStep = {
  turn: "0@1",
  sinceMs: 10_000,
  position: { epoch: "e", revision: 7 },
  service: "barker",
  caller: "*",
  target: { version: "2", instance: null },
  primary: "1",
};

const line = (
  version: string | null,
  instance: string | null,
  requests: number,
  more: Partial<Counter> = {},
): Counter => ({
  service: "barker",
  version,
  instance,
  requests,
  responses: [0, requests, 0, 0, 0],
  failures: 0,
  latencyMs: null,
  ...more,
});

let counts: StepCounts;
beforeEach(() => {
  counts = new StepCounts();
});

const requestsOf = (id = "7"): (number | undefined)[] => [
  counts.of(id)?.target.requests,
  counts.of(id)?.primary.requests,
];

test("StepCounts counts the target and the primary, and nothing of others", () => {
  counts.watch("7", STEP);
  const errors = line("2.1", "b", 10, { responses: [0, 7, 0, 1, 2], failures: 1, latencies: [3, 9, 20, 1] });
  const others = [line("3", "c", 1), line(null, null, 5), { ...line("2", "d", 5), service: "other" }];
  counts.take({ caller: "monolith", counters: [errors, line("1.4", "a", 90), ...others], periodMs: 5_000 }, 15_000);
  expect(counts.of("7")).toEqual({
    turn: "0@1",
    reports: 1,
    target: { requests: 10, errors: 3, latencies: [3, 9, 20, 1] },
    primary: { requests: 90, errors: 0, latencies: [] },
  });
});

test.each([
  [14_999, 5_000, false],
  [15_000, 5_000, true],
  [60_000, 50_001, false],
  [60_000, 50_000, true],
])("StepCounts takes at %d ms a report of %d ms: %s", (atMs, periodMs, counted) => {
  counts.watch("7", STEP);
  counts.take({ caller: "monolith", counters: [line("2", "b", 10)], periodMs }, atMs);
  expect(requestsOf()).toEqual([counted ? 10 : 0, 0]);
});

test.each([
  [undefined, true],
  [null, false],
  [{ epoch: "e", revision: 6 }, false],
  [{ epoch: "e", revision: 7 }, true],
  [{ epoch: "e", revision: 9 }, true],
  [{ epoch: "of another life", revision: 0 }, true],
])("StepCounts takes of requests that went by the table of %j from the beginning: %s", (since, counted) => {
  counts.watch("7", STEP);
  counts.take({ caller: "monolith", counters: [line("2", "b", 10)], periodMs: 1_000, since }, 60_000);
  expect(requestsOf()).toEqual([counted ? 10 : 0, 0]);
});

test("StepCounts counts one caller alone where it is that caller's rollout", () => {
  counts.watch("7", { ...STEP, caller: "monolith" });
  const report = { counters: [line("2", "b", 10)], periodMs: 5_000 };
  counts.take({ ...report, caller: "worker" }, 20_000);
  counts.take({ ...report, caller: "monolith" }, 20_000);
  expect(requestsOf()).toEqual([10, 0]);
});

test("StepCounts tells one instance from the rest of the primary, of which it is one", () => {
  counts.watch("7", { ...STEP, target: { version: null, instance: "b" } });
  const counters = [line("1", "a", 10), line("1", "b", 1)];
  counts.take({ caller: "monolith", counters, periodMs: 5_000 }, 20_000);
  expect(requestsOf()).toEqual([1, 10]);
});

test("StepCounts takes of a sample only what was looked at for as many requests", () => {
  counts.watch("7", STEP);
  const counters = [line("2", "b", 100, { latencies: [3, 90, 20, 10] })];
  counts.take({ caller: "monolith", counters, periodMs: 5_000, oneIn: 10 }, 20_000);
  expect(counts.of("7")?.target).toEqual({ requests: 100, errors: 0, latencies: [3, 9, 20, 1] });
});

test("StepCounts begins anew with each step, goes on within one, and forgets those that are over", () => {
  const report = { caller: "monolith", counters: [line("2", "b", 10)], periodMs: 5_000 };
  counts.watch("7", STEP);
  counts.take(report, 20_000);
  counts.watch("7", { ...STEP, sinceMs: 30_000 });
  expect(requestsOf()).toEqual([10, 0]);
  counts.watch("7", { ...STEP, turn: "1@9", sinceMs: 20_000 });
  expect(requestsOf()).toEqual([0, 0]);
  counts.keep(new Set());
  counts.take(report, 30_000);
  expect(counts.of("7")).toBeNull();
});
