import { expect, test } from "vitest";
import { counter } from "../testing/counter.ts";
import { Counters } from "./counters.ts";

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

test("version() differs with the steps that last() sums, and always where one of them has only begun", () => {
  const counters = new Counters();
  const at = (nowMs: number) => counters.version(10_000, nowMs);
  expect(at(110_000)).toBe(at(114_999));
  expect(at(115_000)).not.toBe(at(114_999));
  expect(counters.version(120_000, 110_000)).toBeNaN();
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

test("latencies add up over time and Sherlocks, and a Sherlock without them takes nothing away", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(2, { latencies: [480, 1, 3, 1] })] }, 100_000);
  counters.add({ caller: "a", counters: [counter(5)] }, 100_001);
  counters.add({ caller: "a", counters: [counter(0, { latencies: [3, 4, 481.5, 1] })] }, 106_000);
  counters.add({ caller: "b", counters: [counter(7)] }, 106_000);
  for (const spanMs of [10_000, 120_000]) {
    expect(counters.last(spanMs, 110_000).lines).toMatchObject([
      { caller: "a", requests: 7, latencies: [3, 5, 480, 2] },
      { caller: "b", requests: 7, latencies: [] },
    ]);
  }
});

test("latencies that find no room are left out, and nothing else", () => {
  const counters = new Counters();
  const full = Array.from({ length: 16 }, (_, ms) => [ms, 1]).flat();
  const many = (instances: number) =>
    Array.from({ length: instances }, (_, i) => counter(1, { instance: `i${i}`, latencies: full }));
  counters.add({ caller: "a", counters: many(4_000) }, 100_000);
  // What is in a bucket that is there already finds its room.
  counters.add({ caller: "a", counters: many(1) }, 100_001);
  const { lines } = counters.last(5_000, 105_000);
  expect(lines).toHaveLength(4_000);
  expect(lines.filter(({ latencies }) => latencies.length > 0)).toHaveLength(50_000 / 16);
  expect(lines[0]).toMatchObject({ requests: 2, latencies: full.map((value, i) => (i % 2 === 0 ? value : 2)) });
  expect(lines.at(-1)).toMatchObject({ requests: 1, latencies: [] });
});
