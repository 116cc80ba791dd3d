import type { LogEvent, TraceSummary } from "@datawire/api";
import { expect, test } from "vitest";
import { mergeLogPages, mergeTracePages, mergeTraceParts } from "./merge-pages.ts";
import { readTails, writePosition, writeTails } from "./positions.ts";

const trace = (traceId: string, firstMs: number, lastMs: number, fields: Partial<TraceSummary> = {}): TraceSummary => ({
  traceId,
  firstMs,
  lastMs,
  events: 0,
  level: null,
  nodes: [],
  service: "s",
  name: "n",
  durationMs: lastMs - firstMs,
  services: ["s"],
  spans: 1,
  errors: 0,
  ...fields,
});
const event = (id: string, timestamp: number): LogEvent => ({
  id,
  traceId: null,
  clock: [],
  timestamp,
  node: "n",
  level: "INFO",
  category: "",
  text: id,
  environment: null,
  spanId: null,
  service: null,
  instance: null,
  resource: {},
  attributes: {},
});
const end = (atMs: number, key: string): string => writePosition({ atMs, key });

test("mergeTracePages() makes one of the parts of a trace, and shows no more than every page reaches", () => {
  const a = {
    traces: [trace("AA", 10, 90), trace("b", 10, 50), trace("c", 10, 20)],
    next: null,
    dropped: { rate: 1 },
  };
  const b = {
    traces: [
      trace("aa", 5, 80, { level: "ERROR", events: 2, errors: 1, service: "t", services: ["t"] }),
      trace("d", 1, 60),
    ],
    next: end(60, "d"),
    dropped: { rate: 2, size: 3 },
  };
  const merged = mergeTracePages([a, b], 10);
  expect(merged.traces.map(({ traceId }) => traceId)).toEqual(["AA", "d"]);
  expect(merged.traces[0]).toMatchObject({
    firstMs: 5,
    lastMs: 90,
    durationMs: 85,
    spans: 2,
    events: 2,
    errors: 1,
    level: "ERROR",
    service: "t",
  });
  expect(merged).toMatchObject({ next: end(60, "d"), dropped: { rate: 3, size: 3 } });
  expect(mergeTracePages([a, b], 1)).toMatchObject({ traces: [{ traceId: "AA" }], next: end(90, "aa") });
  expect(mergeTracePages([a, { ...b, next: null }], 10).next).toBeNull();
});

test("mergeLogPages() puts events in order, and remembers of each directory where it is", () => {
  const page = (events: LogEvent[], who: string, place: [number, number], next: string | null = null) => ({
    events,
    next,
    tail: writeTails(new Map([[who, place]])),
    dropped: {},
  });
  const a = page([event("a2", 9), event("a1", 3)], "a", [7, 2]);
  const b = page([event("b2", 5), event("b1", 4)], "b", [8, 1], end(4, "b1"));
  const merged = mergeLogPages([a, b], { limit: 10, after: null });
  expect(merged.events.map(({ id }) => id)).toEqual(["a2", "b2", "b1"]);
  expect(merged.next).toBe(end(4, "b1"));
  expect(readTails(merged.tail)).toEqual(
    new Map([
      ["a", [7, 2]],
      ["b", [8, 1]],
    ]),
  );
  const after = writeTails(
    new Map([
      ["a", [7, 1]],
      ["gone", [1, 1]],
    ]),
  );
  const followed = mergeLogPages([page([event("a2", 9)], "a", [7, 2]), page([event("b3", 1)], "b", [8, 2])], {
    limit: 1,
    after,
  });
  expect(followed.events.map(({ id }) => id)).toEqual(["b3", "a2"]);
  expect(readTails(followed.tail)).toEqual(
    new Map([
      ["a", [7, 2]],
      ["gone", [1, 1]],
      ["b", [8, 2]],
    ]),
  );
});

test("mergeTraceParts() is partial where a directory did not answer", () => {
  const part = { traceId: "t", spans: [], events: [event("a", 2)], partial: false };
  expect(mergeTraceParts([part, { ...part, events: [event("b", 1)] }], true)).toMatchObject({
    events: [{ id: "b" }, { id: "a" }],
    partial: false,
  });
  expect(mergeTraceParts([part], false).partial).toBe(true);
});
