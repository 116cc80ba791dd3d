import type { Counter } from "@datawire/protocol";
import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const SOURCES = {
  revision: () => 0,
  tableAgeMs: () => 0,
  tableDivergences: () => 0,
  oldWorkers: async () => 0,
  services: () => 0,
  isPresent: (_service: string, instance: string) => instance === "a",
};

const line = (instance: string, latencies: number[] | undefined): Counter => ({
  service: "s",
  version: "1",
  instance,
  requests: 1,
  responses: [0, 1, 0, 0, 0],
  failures: 0,
  latencyMs: { average: 2, max: 5 },
  ...(latencies === undefined ? {} : { latencies }),
});

test("traffic() adds the latencies of the instances of a version up to a histogram", async () => {
  const { registry, traffic } = createMetrics(SOURCES);
  traffic([line("a", [0, 2, 3, 1]), line("b", [0, 1]), line("c", undefined)], 0);
  traffic([line("a", [4, 1, 20_480, 2])], 0);
  const text = await registry.metrics();
  const shown = text.split("\n").filter((one) => one.includes("datawire_latency_seconds"));
  expect(shown.filter((one) => one.startsWith("#") || !/le="(0\.0[1-9]|0\.[1-9]|[1-9]\.)/.test(one))).toEqual([
    expect.stringMatching(/^# HELP datawire_latency_seconds Of the requests/),
    "# TYPE datawire_latency_seconds histogram",
    'datawire_latency_seconds_bucket{service="s",version="1",le="0.001"} 3',
    'datawire_latency_seconds_bucket{service="s",version="1",le="0.002"} 3',
    'datawire_latency_seconds_bucket{service="s",version="1",le="0.004"} 4',
    'datawire_latency_seconds_bucket{service="s",version="1",le="0.008"} 5',
    'datawire_latency_seconds_bucket{service="s",version="1",le="16.384"} 5',
    'datawire_latency_seconds_bucket{service="s",version="1",le="+Inf"} 7',
    'datawire_latency_seconds_sum{service="s",version="1"} 43.014',
    'datawire_latency_seconds_count{service="s",version="1"} 7',
  ]);
});

test("a Sherlock that does not look at latencies has no histogram of them", async () => {
  const { registry, traffic } = createMetrics(SOURCES);
  traffic([line("a", undefined)], 0);
  expect(await registry.metrics()).not.toContain("datawire_latency_seconds_bucket");
});

test("traffic() forgets the counts of instances ten minutes after they have gone, and of no others", async () => {
  const { registry, traffic } = createMetrics(SOURCES);
  const shown = async (): Promise<string[]> => {
    const found = (await registry.metrics()).matchAll(
      /^(datawire_[a-z]+_total|datawire_latency\S+){.*instance="(\w)"/gm,
    );
    return [...new Set([...found].map(([, , instance]) => instance as string))];
  };
  traffic([line("a", undefined), line("b", undefined)], 0);
  traffic([], 599_999);
  expect(await shown()).toEqual(["a", "b"]);
  traffic([], 600_000);
  expect(await shown()).toEqual(["a"]);
  traffic([line("b", undefined)], 700_000);
  expect(await registry.metrics()).toContain('datawire_requests_total{service="s",version="1",instance="b"} 1\n');
});
