import { expect, test } from "vitest";
import { compareClocks } from "./compare-clocks.ts";
import { Logs } from "./logs.ts";
import { SeenOnce } from "./seen-once.ts";
import { type KeptEvent, MemoryTraces } from "./trace-store.ts";

const event = (text: string, fields: Partial<KeptEvent> = {}): KeptEvent => ({
  traceId: "e5072dbe-b445-4190-b48e-2165ecff7fb2",
  clock: [1],
  timestamp: 1_000,
  node: "n1",
  level: "INFO",
  category: "c",
  text,
  environment: "sandbox",
  ...fields,
});

const ALL = { sinceMs: 0, level: "DEBUG", limit: 100 } as const;

test("compareClocks() puts what a step caused after it and before the next one", () => {
  const clocks = [[2], [1, 2], [1], [1, 1, 1], [1, 1], [0, 9], []];
  expect(clocks.toSorted(compareClocks)).toEqual([[], [0, 9], [1], [1, 1], [1, 1, 1], [1, 2], [2]]);
});

test("MemoryTraces orders the events of a trace by their clocks, then by time", () => {
  const traces = new MemoryTraces();
  const said: [string, number[], number][] = [
    ["d", [2], 1],
    ["b", [1, 1], 3],
    ["c", [1, 1], 4],
    ["a", [1], 9],
  ];
  for (const [text, clock, timestamp] of said) traces.append(event(text, { clock, timestamp }));
  const found = traces.trace("E5072DBEB4454190B48E2165ECFF7FB2");
  expect(found?.events.map(({ text }) => text)).toEqual(["a", "b", "c", "d"]);
  expect(traces.trace("another")).toBeNull();
});

test("MemoryTraces lists the newest traces first, with their worst level and all who logged", () => {
  const traces = new MemoryTraces();
  traces.append(event("a", { traceId: "one", timestamp: 5 }));
  traces.append(event("b", { traceId: "one", timestamp: 9, level: "ERROR", node: "n2" }));
  traces.append(event("c", { traceId: "two", timestamp: 20, level: "DEBUG" }));
  const one = { traceId: "one", firstMs: 5, lastMs: 9, events: 2, level: "ERROR", nodes: ["n1", "n2"] };
  const two = { traceId: "two", firstMs: 20, lastMs: 20, events: 1, level: "DEBUG", nodes: ["n1"] };
  expect(traces.list(ALL)).toEqual([two, one]);
  expect(traces.list({ ...ALL, limit: 1 })).toEqual([two]);
  expect(traces.list({ ...ALL, level: "WARN" })).toEqual([one]);
  expect(traces.list({ ...ALL, sinceMs: 10 })).toEqual([two]);
});

test("MemoryTraces keeps no more than its bounds, and the newest of that", () => {
  const traces = new MemoryTraces({ charactersMax: 10_000, eventsMax: 10 });
  for (let i = 0; i < 100; i++) traces.append(event("x".repeat(1_000), { traceId: `t${i}`, timestamp: i }));
  const kept = traces.list(ALL).map(({ traceId }) => traceId);
  expect(kept.length).toBeLessThanOrEqual(8);
  expect(kept[0]).toBe("t99");
  for (let i = 0; i < 100; i++) traces.append(event(String(i), { traceId: "long" }));
  const texts = traces.trace("long")?.events.map(({ text }) => text) ?? [];
  expect(texts.length).toBeLessThanOrEqual(10);
  expect(texts.at(-1)).toBe("99");
});

test("SeenOnce knows each number of each process, whatever their order", () => {
  const seen = new SeenOnce();
  const news = [0, 1, 3, 2, 1, 3, 4, 0].map((number) => seen.isNew("a", number));
  expect(news).toEqual([true, true, true, true, false, false, true, false]);
  expect(seen.isNew("b", 0)).toBe(true);
});

test("SeenOnce goes on where numbers are missing for good", () => {
  const seen = new SeenOnce();
  for (let number = 1; number <= 30_000; number++) expect(seen.isNew("a", number)).toBe(true);
  expect(seen.isNew("a", 29_999)).toBe(false);
});

test("Logs keeps each event once, and tells who follows its trace or its level", () => {
  const logs = new Logs(new MemoryTraces());
  const told: string[] = [];
  const stop = logs.follow({ trace: "T-1", level: "WARN" }, ({ text }) => told.push(text));
  logs.keep(0, event("a", { traceId: "t1", level: "ERROR" }));
  logs.keep(0, event("a again", { traceId: "t1", level: "ERROR" }));
  logs.keep(1, event("b", { traceId: "t1", level: "INFO" }));
  logs.keep(2, event("c", { traceId: "t2", level: "ERROR" }));
  stop();
  logs.keep(3, event("d", { traceId: "t1", level: "ERROR" }));
  expect(told).toEqual(["a"]);
  expect(logs.store.trace("t1")?.events).toHaveLength(3);
});
