import { afterEach, beforeEach, expect, test } from "vitest";
import { nanos, traceIdOf } from "../testing/requests.ts";
import { TestKeeper } from "../testing/keepers.ts";

let store: TestKeeper;
beforeEach(() => {
  store = new TestKeeper();
});
afterEach(() => store[Symbol.dispose]());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ids = (found: { traces: readonly { traceId: string }[] }): string[] => found.traces.map(({ traceId }) => traceId);
const texts = (found: { events: readonly { text: string }[] }): string[] => found.events.map(({ text }) => text);

/** Traces that each began a second after the one before. */
const spansOf = (numbers: readonly number[], fields: object = {}) =>
  numbers.map((number) => ({ traceId: traceIdOf(number), name: `n${number}`, startMs: 1_000 * number, ...fields }));

test("a trace is found as soon as it is kept, by its id in whichever form", async () => {
  expect(await store.spans([{ traceId: "5B8EFFF798038103D269B633813FC60C" }])).toMatchObject({ state: "kept" });
  for (const id of ["5B8EFFF798038103D269B633813FC60C", "5b8efff7-9803-8103-d269-b633813fc60c"]) {
    expect(await store.trace(id)).toMatchObject({
      traceId: "5B8EFFF798038103D269B633813FC60C",
      spans: [{ name: "work", service: "shop", start: 1_000, durationMs: 10 }],
      partial: false,
    });
  }
  expect(await store.trace(traceIdOf(7))).toBeNull();
});

test("traces come newest first and page by page, each once, over all files and restarts", async () => {
  await store.spans(spansOf([1, 4, 7, 10]));
  store.nowMs += HOUR_MS;
  await store.spans(spansOf([2, 5, 8]));
  store.restart();
  store.nowMs += HOUR_MS;
  await store.spans(spansOf([3, 6, 9, 7]));
  const all = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map(traceIdOf);
  expect(ids(await store.traces())).toEqual(all);
  const found: string[] = [];
  let next: string | null = null;
  do {
    const page: Awaited<ReturnType<TestKeeper["traces"]>> = await store.traces({
      limit: "3",
      ...(next === null ? {} : { cursor: next }),
    });
    found.push(...ids(page));
    ({ next } = page);
  } while (next !== null);
  expect(found).toEqual(all);
  expect((await store.traces()).traces[3]).toMatchObject({ spans: 2, name: "n7" });
});

test("more traces than are read at once are all found", async () => {
  const numbers = Array.from({ length: 700 }, (_, i) => i + 1);
  await store.spans(spansOf(numbers));
  expect(ids(await store.traces({ limit: "1000" }))).toEqual(numbers.toReversed().map(traceIdOf));
});

test.each([
  ["of any level", {}, 1],
  ["of one level alone", { level: "error" }, 2],
])(
  "events with a word, %s, come newest first and page by page, each once, from files whose times overlap",
  async (_, asked, each) => {
    for (let hour = 0; hour < 4; hour++) {
      const numbers = Array.from({ length: 5 }, (_unused, i) => 4 * i + hour + 1);
      await store.logs(
        numbers.map((number) => ({
          timeUnixNano: nanos(1_000 * number),
          severityNumber: number % 2 === 0 ? 17 : 9,
          body: { stringValue: `needle ${number}` },
        })),
      );
      store.nowMs += HOUR_MS;
    }
    const found: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Awaited<ReturnType<TestKeeper["find"]>> = await store.find({
        q: "needle",
        limit: "3",
        ...asked,
        ...(cursor === "" ? {} : { cursor }),
      });
      found.push(...texts(page));
      cursor = page.next;
    }
    const all = Array.from({ length: 20 }, (_unused, i) => 20 - i);
    expect(found).toEqual(all.filter((number) => number % each === 0).map((number) => `needle ${number}`));
  },
);

test("a trace of two hours is told once, also after it was read which traces the files have", async () => {
  const [long, ...short] = Array.from({ length: 1_100 }, (_, i) => ({
    traceId: traceIdOf(i + 1),
    startMs: DAY_MS + i,
  }));
  await store.spans([{ ...long, startMs: 1, durationMs: 2 * HOUR_MS }, ...short]);
  for (let hour = 1; hour <= 5; hour++) {
    store.nowMs += HOUR_MS;
    await store.spans([{ traceId: traceIdOf(2_000 + hour), startMs: DAY_MS }]);
  }
  // All of them are looked at, the newest first.
  expect((await store.traces({ min: "1h" })).traces).toMatchObject([{ traceId: traceIdOf(1), spans: 1 }]);
  await store.spans([{ traceId: traceIdOf(1), spanId: "00000000000000a2", startMs: 2 * DAY_MS }]);
  expect((await store.traces({ min: "1h" })).traces).toMatchObject([{ traceId: traceIdOf(1), spans: 2 }]);
});

test("a trace whose parts came in different hours is whole, and told once", async () => {
  const traceId = traceIdOf(1);
  await store.spans([{ traceId, spanId: "00000000000000a1", name: "root", startMs: 1_000, durationMs: 9_000 }]);
  await store.spans([{ traceId: traceIdOf(2), startMs: 5_000 }]);
  store.nowMs += HOUR_MS;
  const child = { traceId, spanId: "00000000000000a2", parentSpanId: "00000000000000a1", name: "child" };
  await store.spans([{ ...child, startMs: 2_000, durationMs: 20_000, failed: true }], {
    resource: { "service.name": "pay" },
  });
  await store.logs([{ traceId, timeUnixNano: nanos(3_000), severityNumber: 17, body: { stringValue: "declined" } }]);
  expect((await store.traces()).traces).toMatchObject([
    {
      traceId,
      firstMs: 1_000,
      lastMs: 22_000,
      durationMs: 21_000,
      spans: 2,
      events: 1,
      errors: 2,
      level: "ERROR",
      service: "shop",
      name: "root",
      services: ["shop", "pay"],
    },
    { traceId: traceIdOf(2) },
  ]);
  for (const q of ["root", "child", "root child", "declined root", "service=pay service=shop"])
    expect([q, ids(await store.traces({ q }))]).toEqual([q, [traceId]]);
  expect(await store.trace(traceId)).toMatchObject({
    spans: [{ name: "root" }, { name: "child", service: "pay" }],
    events: [{ text: "declined", level: "ERROR", clock: [], service: "shop", spanId: null }],
  });
});

test.each([
  [{ q: "n2" }, [2]],
  [{ q: "user.id=42" }, [3]],
  [{ q: "work" }, []],
  [{ service: "pay" }, [4]],
  [{ service: "//pay" }, [4]],
  [{ error: "true" }, [3]],
  [{ min: "50ms" }, [2]],
  [{ from: "2500" }, [4, 3]],
  [{ to: "3005" }, [2, 1]],
  [{ level: "error" }, []],
  [{ q: "shop", limit: "2" }, [3, 2]],
])("traces by %j are %j", async (query, expected) => {
  await store.spans([
    ...spansOf([1]),
    ...spansOf([2], { durationMs: 60 }),
    ...spansOf([3], { failed: true, attributes: { "user.id": 42 } }),
  ]);
  await store.spans(spansOf([4]), { resource: { "service.name": "pay" } });
  expect(ids(await store.traces(query))).toEqual(expected.map(traceIdOf));
});

test("events come newest first and page by page, of a level and worse, and by their words", async () => {
  const levels = [5, 9, 13, 17, 21];
  const said = Array.from({ length: 40 }, (_, i) => ({
    timeUnixNano: nanos(1_000 + i),
    severityNumber: levels[i % 5],
    body: { stringValue: `event e${i}` },
    ...(i === 7 ? { traceId: traceIdOf(7) } : {}),
  }));
  await store.logs(said.slice(0, 20));
  store.nowMs += HOUR_MS;
  await store.logs(said.slice(20));
  const all = Array.from({ length: 40 }, (_, i) => `event e${39 - i}`);
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<TestKeeper["find"]>> = await store.find({
      limit: "7",
      ...(cursor === null ? {} : { cursor }),
    });
    found.push(...texts(page));
    cursor = page.next;
  } while (cursor !== null);
  expect(found).toEqual(all);
  expect(texts(await store.find({ level: "ERROR", limit: "3" }))).toEqual(["event e39", "event e38", "event e34"]);
  expect(texts(await store.find({ q: "e13" }))).toEqual(["event e13"]);
  expect(texts(await store.find({ q: '"event e13"', service: "shop" }))).toEqual(["event e13"]);
  expect(texts(await store.find({ q: "e13", service: "pay" }))).toEqual([]);
  expect(texts(await store.find({ trace: traceIdOf(7).toUpperCase() }))).toEqual(["event e7"]);
  expect(texts(await store.find({ from: "1037", to: "1039" }))).toEqual(["event e38", "event e37"]);
});

test("after a tail comes what was kept since, in its order, whatever its time", async () => {
  const log = (text: string, atMs: number) => ({ timeUnixNano: nanos(atMs), body: { stringValue: text } });
  const { tail: empty } = await store.find();
  await store.logs([log("a", 5_000), log("b", 1_000)]);
  const { tail } = await store.find();
  expect(texts(await store.find({ after: empty }))).toEqual(["a", "b"]);
  await store.logs([log("c", 9_000), log("d", 2_000)]);
  store.nowMs += HOUR_MS;
  await store.logs([log("e", 3_000)]);
  const first = await store.find({ after: tail, limit: "2" });
  expect(texts(first)).toEqual(["c", "d"]);
  const second = await store.find({ after: first.tail, limit: "2" });
  expect(texts(second)).toEqual(["e"]);
  expect(texts(await store.find({ after: second.tail }))).toEqual([]);
});

test("a tenant finds nothing of another, whatever it asks for", async () => {
  const traceId = traceIdOf(1);
  const record = { traceId, timeUnixNano: nanos(1_000), body: { stringValue: "secret" } };
  await store.spans([{ traceId, name: "secret" }], { tenant: "acme" });
  await store.logs([record], "acme");
  for (const tenant of ["", "other"]) {
    expect(ids(await store.traces({}, tenant))).toEqual([]);
    expect(ids(await store.traces({ q: "secret" }, tenant))).toEqual([]);
    expect(await store.trace(traceId, tenant)).toBeNull();
    expect(texts(await store.find({}, tenant))).toEqual([]);
    expect(texts(await store.find({ q: "secret" }, tenant))).toEqual([]);
    expect(texts(await store.find({ trace: traceId }, tenant))).toEqual([]);
    const { tail } = await store.find({}, tenant);
    await store.logs([record], "acme");
    expect(texts(await store.find({ after: tail }, tenant))).toEqual([]);
  }
  expect(ids(await store.traces({ q: "secret" }, "acme"))).toEqual([traceId]);
});

test("a trace that is longer than an answer is told in part", async () => {
  const numbers = Array.from({ length: 10_500 }, (_, i) => i + 1);
  await store.spans(numbers.map((number) => ({ spanId: number.toString(16).padStart(16, "0"), startMs: number })));
  const trace = await store.trace(traceIdOf(1));
  expect([trace?.spans.length, trace?.partial]).toEqual([10_000, true]);
  expect((await store.traces()).traces).toMatchObject([{ spans: 10_500 }]);
});
