import { expect, test } from "vitest";
import type { Health } from "../monitor/health.ts";
import { testDefinition } from "../testing/instances.ts";
import { createMetrics } from "./metrics.ts";

test("createMetrics() forgets the series of an instance that is gone, once they were told", async () => {
  const instances = new Map([
    ["a", testDefinition({ name: "a" })],
    ["b", testDefinition({ name: "b" })],
  ]);
  const live: Health = { state: "live" };
  const metrics = createMetrics({
    instances: () => [...instances.values()].map((instance) => ({ instance, health: live })),
    directories: () => [],
    fileProblems: () => 0,
  });
  for (const instance of instances.values()) metrics.healthChanged(instance, live);
  const told = async (): Promise<(string | undefined)[]> => {
    const text = await metrics.registry.metrics();
    return [...text.matchAll(/^datawire_watson_instance_changes_total\{.*instance="(\w+)".*\} 1$/gm)].map(([, a]) => a);
  };
  expect(await told()).toEqual(["a", "b"]);
  instances.delete("b");
  expect(await told()).toEqual(["a", "b"]);
  expect(await told()).toEqual(["a"]);
});
