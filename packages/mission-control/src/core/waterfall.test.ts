import { expect, test } from "vitest";
import { placeSpans } from "./waterfall.ts";

const span = (spanId: string, parentId: string | null, start: number, durationMs: number) => ({
  spanId,
  parentId,
  start,
  durationMs,
});

test("placeSpans() puts children below their parent by their start, and orphans at the top", () => {
  const placed = placeSpans([
    span("late", "root", 60, 40),
    span("root", null, 0, 100),
    span("early", "root", 10, 20),
    span("orphan", "unknown", 50, 10),
  ]);
  expect(placed.map(({ span, level }) => [span.spanId, level])).toEqual([
    ["root", 1],
    ["early", 2],
    ["late", 2],
    ["orphan", 1],
  ]);
  expect(placed[1]).toMatchObject({ left: 10, width: 20, children: 0 });
});

test("placeSpans() shows each span of a circle once", () => {
  const placed = placeSpans([span("a", "b", 0, 1), span("b", "a", 1, 1), span("self", "self", 0, 1)]);
  expect(placed.map(({ span }) => span.spanId).toSorted()).toEqual(["a", "b", "self"]);
});

test("placeSpans() of a trace as deep as it may be long", () => {
  const chain = Array.from({ length: 10_000 }, (_, i) => span(`s${i}`, i === 0 ? null : `s${i - 1}`, i, 1));
  const placed = placeSpans(chain.toReversed());
  expect(placed.map(({ level }) => level)).toEqual(chain.map((_, i) => i + 1));
});

test("placeSpans() shows what is below two spans of one id once", () => {
  const placed = placeSpans([span("both", null, 0, 9), span("both", null, 1, 7), span("child", "both", 2, 1)]);
  expect(placed.map(({ span, level, children }) => [span.spanId, level, children])).toEqual([
    ["both", 1, 1],
    ["child", 2, 0],
    ["both", 1, 0],
  ]);
});

test("placeSpans() of nothing is nothing", () => {
  expect(placeSpans([])).toEqual([]);
});
