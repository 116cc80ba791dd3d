import { expect, test } from "vitest";
import { readRequest } from "../intake/read-request.ts";
import { bytesOf, logRequest, nanos, spanOf, traceRequest } from "../testing/requests.ts";
import { byClock } from "./shown.ts";
import { mergeSummaries, shownSummary, summarise } from "./summary.ts";

const spans = (fields: Parameters<typeof spanOf>[0], service: string) =>
  readRequest(bytesOf(traceRequest([spanOf(fields)], { "service.name": service })), {
    signal: "traces",
    format: "json",
    nowMs: 0,
  });

test("mergeSummaries() names a trace by its span without a parent, in whichever order they come", () => {
  const child = summarise(
    "t",
    spans({ parentSpanId: "00000000000000ff", name: "child", startMs: 900, failed: true }, "b"),
  );
  const root = summarise("t", spans({ name: "root", startMs: 1_000, durationMs: 500 }, "a"));
  const event = readRequest(
    bytesOf(logRequest([{ timeUnixNano: nanos(2_000), severityNumber: 13, body: { stringValue: "x" } }])),
    { signal: "logs", format: "json", nowMs: 0 },
  );
  const logged = summarise("t", event);
  const expected = {
    traceId: "t",
    firstMs: 900,
    lastMs: 2_000,
    events: 1,
    level: "WARN",
    service: "a",
    name: "root",
    durationMs: 1_100,
    spans: 2,
    errors: 1,
  };
  for (const order of [
    [child, root, logged],
    [logged, root, child],
    [root, logged, child],
  ]) {
    const merged = shownSummary(order.reduce(mergeSummaries));
    expect(merged).toMatchObject(expected);
    expect(merged.services.toSorted()).toEqual(["a", "b", "shop"]);
  }
});

test("byClock() puts what a step caused after it and before the next one, and goes by time without clocks", () => {
  const clocks = [[2], [1, 2], [1], [1, 1, 1], [1, 1], [0, 9]];
  const sorted = clocks.map((clock) => ({ clock, timestamp: 0 })).toSorted(byClock);
  expect(sorted.map(({ clock }) => clock)).toEqual([[0, 9], [1], [1, 1], [1, 1, 1], [1, 2], [2]]);
  const timed = [3, 1, 2].map((timestamp) => ({ clock: [], timestamp }));
  expect(timed.toSorted(byClock).map(({ timestamp }) => timestamp)).toEqual([1, 2, 3]);
});
