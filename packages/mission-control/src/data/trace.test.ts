import { expect, test } from "vitest";
import { quietMs } from "./trace.ts";

const NOW_MS = 10_000_000;
const span = (end: number) => ({ start: end - 5, durationMs: 5 }) as never;
const message = (timestamp: number) => ({ timestamp }) as never;

test.each([
  ["one that has just ended", [span(NOW_MS - 1_000)], [], 60_000],
  ["one that goes on by its messages", [span(1)], [message(NOW_MS - 1_000)], 60_000],
  ["an old one", [span(1)], [message(2)], 0],
  ["one of a clock that is ahead", [span(NOW_MS + 100_000)], [], 60_000],
])("quietMs() of %s", (_, spans, events, expected) => {
  expect(quietMs({ spans, events }, NOW_MS)).toBe(expected);
});

test("quietMs() of a trace of a hundred thousand spans", () => {
  expect(quietMs({ spans: Array.from({ length: 100_000 }, () => span(NOW_MS)), events: [] }, NOW_MS)).toBe(60_000);
});
