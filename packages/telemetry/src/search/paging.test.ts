import { afterEach, beforeEach, expect, test } from "vitest";
import { TestKeeper } from "../testing/keepers.ts";
import { nanos, traceIdOf } from "../testing/requests.ts";

/** Pages at their bounds: more than one look reads, and many of one moment. */

let store: TestKeeper;
beforeEach(() => {
  store = new TestKeeper();
});
afterEach(() => store[Symbol.dispose]());

const HOUR_MS = 3_600_000;
const COUNT = 10_500;
/** A hundred to each moment. */
const momentOf = (number: number): number => 1_000_000 + Math.floor(number / 100);

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/** All rows of all pages. @param between is called after each page. */
async function all<Row>(
  ask: (query: Readonly<Record<string, string>>) => Promise<Page<Row>>,
  between: () => Promise<unknown> = async () => {},
): Promise<Row[]> {
  const rows: Row[] = [];
  let next: string | null = null;
  do {
    const page: Page<Row> = await ask(next === null ? {} : { cursor: next });
    rows.push(...page.rows);
    ({ next } = page);
    await between();
  } while (next !== null);
  return rows;
}

async function fillLogs(): Promise<void> {
  for (let from = 0; from < COUNT; from += 1_500) {
    if (from === 6_000) store.nowMs += HOUR_MS;
    await store.logs(
      Array.from({ length: Math.min(1_500, COUNT - from) }, (_, i) => ({
        timeUnixNano: nanos(momentOf(from + i)),
        severityNumber: (from + i) % 3 === 0 ? 17 : 9,
        body: { stringValue: `event e${from + i}` },
      })),
    );
  }
}

const logs =
  (query: Readonly<Record<string, string>> = {}) =>
  async (
    more: Readonly<Record<string, string>>,
  ): Promise<Page<{ readonly text: string; readonly timestamp: number }>> => {
    const { events, next } = await store.find({ limit: "1000", ...query, ...more });
    return { rows: events, next };
  };

test("10,500 events, a hundred of each moment and in two files, come newest first, each once, in pages of any length", async () => {
  await fillLogs();
  const found = await all(logs());
  expect(found).toHaveLength(COUNT);
  expect(new Set(found.map(({ text }) => text)).size).toBe(COUNT);
  const times = found.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  // Pages end within moments, whatever their length.
  const short = await all(logs({ limit: "37", from: String(momentOf(0)), to: String(momentOf(1_000)) }));
  expect(short.map(({ text }) => text)).toEqual(found.slice(-1_000).map(({ text }) => text));
  const errors = await all(logs({ level: "ERROR" }));
  expect(errors.map(({ text }) => text)).toEqual(
    found.filter(({ text }) => Number(text.slice("event e".length)) % 3 === 0).map(({ text }) => text),
  );
  expect(await all(logs({ q: "e10499" }))).toMatchObject([{ text: "event e10499" }]);
});

test("what comes while pages are read is on none of them, and moves none", async () => {
  await fillLogs();
  const before = await all(logs());
  let number = 0;
  const during = await all(logs(), () =>
    store.logs([{ timeUnixNano: nanos(momentOf(COUNT) + 5), body: { stringValue: `new ${(number += 1)}` } }]),
  );
  expect(during.map(({ text }) => text)).toEqual(before.map(({ text }) => text));
});

test("10,500 traces, a hundred of each moment and in two files, come newest first and each once", async () => {
  for (let from = 0; from < COUNT; from += 1_500) {
    if (from === 6_000) store.nowMs += HOUR_MS;
    await store.spans(
      Array.from({ length: Math.min(1_500, COUNT - from) }, (_, i) => ({
        traceId: traceIdOf(from + i + 1),
        startMs: momentOf(from + i),
        failed: (from + i) % 3 === 0,
      })),
    );
  }
  const traces = async (more: Readonly<Record<string, string>>) => {
    const { traces: rows, next } = await store.traces({ limit: "1000", ...more });
    return { rows, next };
  };
  const found = await all(traces);
  expect(found).toHaveLength(COUNT);
  expect(new Set(found.map(({ traceId }) => traceId)).size).toBe(COUNT);
  const times = found.map(({ firstMs }) => firstMs);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const failed = await all((more) => traces({ error: "true", limit: "700", ...more }));
  expect(failed.map(({ traceId }) => traceId)).toEqual(
    found.filter(({ errors }) => errors > 0).map(({ traceId }) => traceId),
  );
});
