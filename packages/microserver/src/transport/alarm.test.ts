import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarm } from "./alarm.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

/** An alarm that is set as its connection says, and when it went off. */
function alarmOf(due: { atMs: number | null }) {
  const rungMs: number[] = [];
  const alarm: Alarm = new Alarm(() => {
    rungMs.push(performance.now() - startMs);
    alarm.set(due.atMs);
  });
  const startMs = performance.now();
  return { alarm, rungMs, startMs };
}

test("Alarm looks when something is due, also where that moved to later meanwhile", () => {
  const due: { atMs: number | null } = { atMs: null };
  const { alarm, rungMs, startMs } = alarmOf(due);
  alarm.set(startMs + 100);
  due.atMs = startMs + 250;
  alarm.set(due.atMs);
  vi.advanceTimersByTime(200);
  expect(rungMs).toEqual([100]);
  due.atMs = null;
  vi.advanceTimersByTime(1_000);
  expect(rungMs).toEqual([100, 250]);
});

test("Alarm looks earlier where something is due earlier, and never once it is cleared", () => {
  const { alarm, rungMs, startMs } = alarmOf({ atMs: null });
  alarm.set(startMs + 100);
  alarm.set(startMs + 50);
  vi.advanceTimersByTime(200);
  expect(rungMs).toEqual([50]);
  alarm.set(startMs + 300);
  alarm.clear();
  vi.advanceTimersByTime(1_000);
  expect(rungMs).toEqual([50]);
});
