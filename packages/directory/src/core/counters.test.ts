import type { Counter } from "@datawire/protocol";
import { expect, test } from "vitest";
import { Counters } from "./counters.ts";

const counter = (requests: number, more: Partial<Counter> = {}): Counter => ({
  service: "barker",
  version: "1",
  instance: "vm1",
  requests,
  responses: [0, requests, 0, 0, 0],
  failures: 0,
  latencyMs: { average: 2, max: 5 },
  ...more,
});

test("last() sums whole steps of five seconds, without the one that has begun", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(1_000)] }, 99_999);
  counters.add({ caller: "a", counters: [counter(10)] }, 100_000);
  counters.add({ caller: "a", counters: [counter(30, { latencyMs: { average: 6, max: 9 } })] }, 109_999);
  counters.add({ caller: "a", counters: [counter(500)] }, 110_001);
  expect(counters.last(10_000, 112_000)).toMatchObject({
    fromMs: 100_000,
    untilMs: 110_000,
    lines: [{ requests: 40, responses: [0, 40, 0, 0, 0], latencySumMs: 200, latencyMaxMs: 9 }],
  });
});

test("last() of more than a minute counts the minute that has begun", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(1)] }, 60_000);
  counters.add({ caller: "a", counters: [counter(2)] }, 600_000);
  counters.add({ caller: "b", counters: [counter(4)] }, 600_001);
  const { fromMs, untilMs, lines } = counters.last(120_000, 601_000);
  expect({ fromMs, untilMs, sums: lines.map(({ caller, requests }) => [caller, requests]) }).toEqual({
    fromMs: 480_000,
    untilMs: 601_000,
    sums: [
      ["a", 2],
      ["b", 4],
    ],
  });
});

test("add() forgets what is older than an hour, and drops what finds no room", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(1)] }, 0);
  const many = Array.from({ length: 50_001 }, (_, i) => counter(1, { instance: `i${i}` }));
  counters.add({ caller: "a", counters: many }, 3_600_000);
  expect(counters.last(3_600_000, 3_600_000).lines).toHaveLength(50_000);
  expect(counters.dropped).toBe(1);
});
