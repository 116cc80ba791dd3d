import { createRegistry } from "@datawire/runtime";
import { expect, test } from "vitest";
import { mergeMetrics } from "./merge-metrics.ts";

test("mergeMetrics() has each family once: the process's of the first, the samples of all of every other", async () => {
  const [watson, sherlock] = [createRegistry("watson"), createRegistry("sherlock")];
  const merged = mergeMetrics([
    `${await watson.metrics()}# HELP datawire_watson_checks_total Checks.\n# TYPE datawire_watson_checks_total counter\ndatawire_watson_checks_total 3\n`,
    await sherlock.metrics(),
  ]);
  const names = [...merged.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(merged).toContain('datawire_build_info{program="watson"');
  expect(merged).toContain('datawire_build_info{program="sherlock"');
  expect(merged).toContain("datawire_watson_checks_total 3");
  expect(merged.match(/^process_start_time_seconds /gm)).toHaveLength(1);
});

test("mergeMetrics() of nothing is nothing", () => {
  expect(mergeMetrics([])).toBe("");
  expect(mergeMetrics(["\n"])).toBe("");
});
