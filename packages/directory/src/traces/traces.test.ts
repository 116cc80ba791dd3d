import type { EventRecord, Written } from "@datawire/telemetry";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { type KeptEvent, Logs } from "./logs.ts";
import { SeenOnce } from "./seen-once.ts";

const event = (text: string, fields: Partial<KeptEvent> = {}): KeptEvent => ({
  traceId: "e5072dbe-b445-4190-b48e-2165ecff7fb2",
  clock: [1],
  timestamp: 1_000,
  node: "n1",
  service: null,
  level: "INFO",
  category: "c",
  text,
  environment: "sandbox",
  ...fields,
});

const KEPT: Written = { state: "kept", body: new Uint8Array() };

/** Logs whose store answers as it is told to, and else keeps. */
function logsOf(answers: Written[] = []) {
  const clock = createFakeClock();
  const kept: string[][] = [];
  const keep = async (events: readonly EventRecord[]): Promise<Written> => {
    const answer = answers.shift() ?? KEPT;
    if (answer.state === "kept") kept.push(events.map(({ text }) => text));
    return answer;
  };
  return { clock, kept, logs: new Logs({ keep, clock }) };
}

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

test("Logs keeps each event once, and tells who follows its trace or its level", async () => {
  const { logs, kept } = logsOf();
  const told: string[] = [];
  const stop = logs.follow({ trace: "T-1", level: "WARN" }, ({ text }) => told.push(text));
  const keeping = [
    logs.keep(0, event("a", { traceId: "t1", level: "ERROR" })),
    logs.keep(0, event("a again", { traceId: "t1", level: "ERROR" })),
    logs.keep(1, event("b", { traceId: "t1", level: "INFO" })),
    logs.keep(2, event("c", { traceId: "t2", level: "ERROR" })),
  ];
  stop();
  keeping.push(logs.keep(3, event("d", { traceId: "t1", level: "ERROR" })));
  expect(await Promise.all(keeping)).toEqual([true, true, true, true, true]);
  expect(told).toEqual(["a"]);
  expect(kept.flat()).toEqual(["a", "b", "c", "d"]);
});

test("Logs acknowledges what is kept, and gives what is not again when it was told to", async () => {
  const later: Written = { state: "later", why: "rate", message: "too much", afterMs: 700 };
  const { logs, kept, clock } = logsOf([later, { state: "refused", code: "unavailable", message: "it failed" }]);
  const acknowledged: number[] = [];
  for (const number of [0, 1]) void logs.keep(number, event(`t${number}`)).then(() => acknowledged.push(number));
  await clock.advance(699);
  expect([acknowledged, kept]).toEqual([[], []]);
  await clock.advance(1);
  expect(acknowledged).toEqual([]);
  await clock.advance(1_000);
  await expect.poll(() => acknowledged).toEqual([0, 1]);
  expect(kept).toEqual([["t0"], ["t1"]]);
});

test("Logs acknowledges nothing that it has no room for, so that it comes again", async () => {
  const { logs, kept, clock } = logsOf([{ state: "later", why: "disk", message: "full", afterMs: 1_000 }]);
  const large = "x".repeat(12 * 1024 * 1024);
  const first = logs.keep(0, event(large));
  expect(await logs.keep(1, event(large))).toBe(false);
  await clock.advance(1_000);
  expect(await first).toBe(true);
  expect(await logs.keep(1, event(large))).toBe(true);
  expect(kept).toHaveLength(2);
});
