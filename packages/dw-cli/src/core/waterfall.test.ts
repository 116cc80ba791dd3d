import type { Span } from "@datawire/api";
import { expect, test } from "vitest";
import { bar, formatMilliseconds, waterfall } from "./waterfall.ts";

const span = (spanId: string, parentId: string | null, start: number): Span => ({
  traceId: "t",
  spanId,
  parentId,
  service: "s",
  instance: null,
  resource: {},
  version: null,
  name: spanId,
  kind: "internal",
  start,
  durationMs: 1,
  status: "ok",
  message: null,
  scope: null,
  attributes: {},
});

const shape = (spans: readonly Span[]): string[] =>
  waterfall(spans).map(({ span: { spanId }, depth, offsetMs }) => `${"-".repeat(depth)}${spanId}+${offsetMs}`);

test("waterfall() puts each span below its parent, and those whose parent is missing at the top", () => {
  const spans = [
    span("a", null, 10),
    span("b", "a", 11),
    span("x", "gone", 12),
    span("c", "b", 12),
    span("d", "a", 13),
  ];
  expect(shape(spans)).toEqual(["a+0", "-b+1", "--c+2", "-d+3", "x+2"]);
});

test("waterfall() shows every span once, also those that are each other's parents, and a trace of any depth", () => {
  expect(shape([span("a", "b", 1), span("b", "a", 2), span("c", "c", 3)])).toEqual(["c+2", "a+0", "-b+1"]);
  const deep = Array.from({ length: 20_000 }, (_, i) => span(`s${i}`, i === 0 ? null : `s${i - 1}`, i));
  expect(waterfall(deep).at(-1)?.depth).toBe(19_999);
});

test.each([
  [0, 100, "██████████"],
  [50, 50, "·····█████"],
  [99, 0, "·········█"],
  [100, 5, "·········█"],
])("bar() from %i for %i of 100", (offsetMs, durationMs, expected) => {
  expect(bar({ offsetMs, durationMs }, { wholeMs: 100, width: 10 })).toBe(expected);
});

test.each([
  [0, "0 ms"],
  [0.253, "0.25 ms"],
  [8, "8 ms"],
  [250.4, "250 ms"],
  [1_234, "1.2 s"],
  [75_000, "75 s"],
])("formatMilliseconds() of %d is %s", (ms, expected) => {
  expect(formatMilliseconds(ms)).toBe(expected);
});
