import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";
import { createFakeClock } from "../testing/fake-clock.ts";

test("systemClock.sleep() ends at once when its signal aborts, before it or in it", async () => {
  await systemClock.sleep(60_000, AbortSignal.abort());
  const stop = new AbortController();
  const asleep = systemClock.sleep(60_000, stop.signal);
  stop.abort();
  await asleep;
});

test("systemClock.setTimer() does not fire early beyond what setTimeout can hold", async () => {
  let fired = false;
  const cancel = systemClock.setTimer(2 ** 40, () => {
    fired = true;
  });
  await systemClock.sleep(5);
  cancel();
  expect(fired).toBe(false);
});

test("systemClock.setTimer() for nothing does not wait for a timer, and can be cancelled", async () => {
  const seen: string[] = [];
  const cancel = systemClock.setTimer(0, () => void seen.push("cancelled"));
  systemClock.setTimer(0, () => void seen.push("for nothing"));
  cancel();
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(["for nothing"]);
});

test("createFakeClock() runs timers in order, each at its own moment", async () => {
  const clock = createFakeClock();
  const seen: string[] = [];
  const note = (name: string): void => void seen.push(`${name}@${clock.monotonicMs()}`);
  clock.setTimer(30, () => note("late"));
  clock.setTimer(10, () => {
    note("early");
    clock.setTimer(10, () => note("set by early"));
  });
  const cancel = clock.setTimer(15, () => note("cancelled"));
  cancel();
  await clock.advance(25);
  expect(seen).toEqual(["early@10", "set by early@20"]);
  await clock.advance(5);
  expect(seen.at(-1)).toBe("late@30");
  expect(clock.pending()).toBe(0);
});

test("createFakeClock() lets promises settle between timers", async () => {
  const clock = createFakeClock();
  let rounds = 0;
  const loop = async (): Promise<void> => {
    for (; rounds < 5; rounds++) await clock.sleep(1_000);
  };
  const done = loop();
  await clock.advance(5_000);
  await done;
  expect(rounds).toBe(5);
});

test.each([3_600_000, -3_600_000])(
  "createFakeClock() keeps its timers when the wall clock jumps by %i ms",
  async (jumpMs) => {
    const clock = createFakeClock({ nowMs: 1_000_000_000 });
    let fired = 0;
    clock.setTimer(1_000, () => fired++);
    clock.jumpWallClock(jumpMs);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000_000_000 + jumpMs, 0]);
    await clock.advance(999);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect(fired).toBe(1);
  },
);

test("sleep() leaves no listener on its signal", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const asleep = clock.sleep(10, stop.signal);
  stop.abort();
  await asleep;
  expect(clock.pending()).toBe(0);
});
