import type { TraceSummary } from "@datawire/api";
import { expect, test } from "vitest";
import { droppedText, MESSAGES, newestFirst, newestQuestion, TRACES, withNew } from "./data.ts";

const trace = (traceId: string, lastMs: number): TraceSummary => ({
  traceId,
  lastMs,
  firstMs: lastMs,
  events: 0,
  level: null,
  nodes: [],
  service: null,
  name: null,
  durationMs: 0,
  services: [],
  spans: 1,
  errors: 0,
});

test("droppedText() names each reason with its number, and nothing where nothing was lost", () => {
  expect(droppedText({ rate: 3, queue: 0, full: 1 })).toBe("3 over the rate, 1 full");
  expect(droppedText({ rate: 0 })).toBeNull();
});

test("newestQuestion() has keys of its own for each filter, and follows the stream while it is live", () => {
  const filters = { q: "", service: "", level: "", since: "1h" };
  const questions = [
    newestQuestion(TRACES, filters, true),
    newestQuestion(TRACES, { ...filters, q: "a" }, true),
    newestQuestion(TRACES, filters, false),
    newestQuestion(MESSAGES, filters, true),
  ];
  expect(new Set(questions.map(({ key }) => key)).size).toBe(4);
  expect(questions.map(({ topic }) => topic ?? null)).toEqual(["traces", "traces", null, "logs"]);
  expect(questions[1]?.chosen).toEqual({ q: "a", since: "1h", limit: "200" });
});

test("withNew() puts what has come into its place, a trace that has gained something once", () => {
  const before = { rows: [trace("b", 2), trace("a", 1)], next: "cursor" };
  const after = withNew(TRACES, before, { changed: [trace("c", 3), { ...trace("a", 4), spans: 9 }], gone: [] });
  expect(after?.rows.map(({ traceId, spans }) => [traceId, spans])).toEqual([
    ["a", 9],
    ["c", 1],
    ["b", 1],
  ]);
  expect(after?.next).toBe("cursor");
});

test("withNew() of a list that has grown too long is undefined: it is read anew", () => {
  const rows = Array.from({ length: 2_000 }, (_, i) => trace(String(i), i));
  expect(withNew(TRACES, { rows, next: null }, { changed: [trace("new", 1)], gone: [] })).toBeUndefined();
});

test("newestFirst() of pages that overlap has no row twice", () => {
  expect(newestFirst(TRACES, [trace("b", 2), trace("a", 1), trace("b", 2)]).map(({ traceId }) => traceId)).toEqual([
    "b",
    "a",
  ]);
});
