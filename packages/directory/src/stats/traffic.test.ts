import { expect, test } from "vitest";
import { counter } from "../testing/counter.ts";
import { Counters } from "./counters.ts";
import { RecentTraffic, seriesOf } from "./traffic.ts";

test("RecentTraffic tells of the last two steps that are over, as a whole and by instance", () => {
  const counters = new Counters();
  const traffic = new RecentTraffic(counters);
  counters.add(
    { caller: "a", counters: [counter(30), counter(10, { instance: "vm2", responses: [0, 6, 0, 0, 4] })] },
    100_000,
  );
  counters.add({ caller: "b", counters: [counter(20, { failures: 1, instance: null, version: null })] }, 105_000);
  expect(traffic.of("barker", 110_000)?.whole).toEqual({ rate: 6, errorPercent: (5 / 60) * 100, p50: null, p99: null });
  expect(traffic.of("barker", 110_000)?.instances).toEqual(
    new Map([
      ["vm1", { rate: 3, errorPercent: 0, p50: null, p99: null }],
      ["vm2", { rate: 1, errorPercent: 40, p50: null, p99: null }],
    ]),
  );
  expect(traffic.of("other", 110_000)).toBeNull();
  expect(traffic.of("barker", 120_000)).toBeNull();
});

test("RecentTraffic has another version once another step is over, and no sooner", () => {
  const traffic = new RecentTraffic(new Counters());
  const versions = [100_000, 104_999, 105_000].map((nowMs) => traffic.version(nowMs));
  expect(versions[0]).toBe(versions[1]);
  expect(versions[1]).not.toBe(versions[2]);
});

test("RecentTraffic of a service without requests has no share of errors", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(0)] }, 100_000);
  expect(new RecentTraffic(counters).of("barker", 106_000)?.whole).toMatchObject({ rate: 0, errorPercent: null });
});

test("seriesOf() has every step, and nothing for one in which nothing was counted", () => {
  const counters = new Counters();
  counters.add({ caller: "a", counters: [counter(1), counter(5, { service: "other" })] }, 100_000);
  counters.add({ caller: "a", counters: [counter(2, { version: "2" })] }, 110_000);
  const { stepMs, series } = seriesOf(
    counters,
    { service: "barker", spanMs: 15_000, nowMs: 116_000 },
    ({ version }) => version,
  );
  expect(stepMs).toBe(5_000);
  expect(
    [...series].map(([key, points]) => [key, points.map(({ atMs, sum }) => [atMs, sum?.requests ?? null])]),
  ).toEqual([
    [
      "1",
      [
        [100_000, 1],
        [105_000, null],
        [110_000, null],
      ],
    ],
    [
      "2",
      [
        [100_000, null],
        [105_000, null],
        [110_000, 2],
      ],
    ],
  ]);
  const long = seriesOf(counters, { service: "barker", spanMs: 180_000, nowMs: 116_000 }, () => "all");
  expect(long.stepMs).toBe(60_000);
  expect(long.series.get("all")?.at(-1)?.sum).toMatchObject({ requests: 3, errors: 0 });
});
