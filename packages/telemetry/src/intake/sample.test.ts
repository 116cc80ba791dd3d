import { expect, test } from "vitest";
import { bytesOf, spanOf, traceIdOf, traceRequest } from "../testing/requests.ts";
import { readRequest } from "./read-request.ts";
import { Sampler } from "./sample.ts";

const records = (spans: readonly object[]) =>
  readRequest(bytesOf(traceRequest(spans)), { signal: "traces", format: "json", nowMs: 0 });

test("Sampler keeps whole traces, by their ids alone, and about the share that it is told", () => {
  const spans = Array.from({ length: 4_000 }, (_, i) => spanOf({ traceId: traceIdOf(1 + (i % 2_000)) }));
  const { spans: kept, left } = new Sampler(0.25).sample(records(spans));
  expect(kept.length + left).toBe(4_000);
  expect(kept.length).toBeGreaterThan(800);
  expect(kept.length).toBeLessThan(1_200);
  const byTrace = Map.groupBy(kept, ({ traceId }) => traceId);
  expect([...byTrace.values()].every(({ length }) => length === 2)).toBe(true);
  const again = new Sampler(0.25).sample(records(spans)).spans;
  expect(again.map(({ traceId }) => traceId)).toEqual(kept.map(({ traceId }) => traceId));
});

test("Sampler keeps traces with errors, and what comes of them later", () => {
  const sampler = new Sampler(0);
  const failed = [spanOf({ traceId: traceIdOf(1), failed: true }), spanOf({ traceId: traceIdOf(1) })];
  expect(sampler.sample(records([...failed, spanOf({ traceId: traceIdOf(2) })]))).toMatchObject({ left: 1 });
  expect(sampler.sample(records([spanOf({ traceId: traceIdOf(1).toUpperCase() })]))).toMatchObject({ left: 0 });
  sampler.set(1);
  expect(sampler.sample(records([spanOf({ traceId: traceIdOf(2) })]))).toMatchObject({ left: 0 });
});
