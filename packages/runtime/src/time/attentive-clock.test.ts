import { describe, expect, test } from "vitest";
import { createAttentiveClock } from "./attentive-clock.ts";
import { createFakeClock } from "../testing/fake-clock.ts";

function setUp() {
  const clock = createFakeClock();
  const end = new AbortController();
  return { clock, end, attentive: createAttentiveClock(clock, end.signal) };
}

describe("createAttentiveClock()", () => {
  test("goes as the clock does while the process runs", async () => {
    const { clock, attentive } = setUp();
    const startMs = attentive.monotonicMs();
    let fired = false;
    attentive.setTimer(5_000, () => (fired = true));
    await clock.advance(4_999);
    expect(attentive.monotonicMs() - startMs).toBe(4_999);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect(fired).toBe(true);
  });

  test.each([
    [60_000, "stopped"],
    [3_000, "busy"],
  ])("counts next to nothing of %i ms in which the process was %s", async (ms) => {
    const { clock, attentive } = setUp();
    await clock.advance(1_000);
    const startMs = attentive.monotonicMs();
    clock.stall(ms);
    expect(attentive.monotonicMs() - startMs).toBe(250);
    await clock.advance(0);
    expect(attentive.monotonicMs() - startMs).toBe(250);
    await clock.advance(1_000);
    expect(attentive.monotonicMs() - startMs).toBe(1_250);
  });

  test("beats at multiples of an eighth of a second, whenever it was made", async () => {
    const clock = createFakeClock();
    await clock.advance(30);
    const attentive = createAttentiveClock(clock, new AbortController().signal);
    await clock.advance(95);
    clock.stall(60_000);
    // 95 until the beat, and the bound of what counts after it.
    expect(attentive.monotonicMs()).toBe(345);
  });

  test("never goes back, however the process is stopped", async () => {
    const { clock, attentive } = setUp();
    let last = attentive.monotonicMs();
    for (let i = 1; i < 500; i++) {
      if (i % 3 === 0) clock.stall((i * 37) % 450);
      else await clock.advance((i * 53) % 130);
      expect(attentive.monotonicMs()).toBeGreaterThanOrEqual(last);
      last = attentive.monotonicMs();
    }
  });

  test("gives a timer that came due meanwhile the time that it lacks", async () => {
    const { clock, attentive } = setUp();
    let fired = false;
    const cancelled = attentive.setTimer(1_000, () => expect.fail("it was cancelled"));
    attentive.setTimer(1_000, () => (fired = true));
    await clock.advance(500);
    clock.stall(60_000);
    await clock.advance(0);
    expect(fired).toBe(false);
    cancelled();
    await clock.advance(300);
    expect(fired).toBe(true);
  });

  test("has one beat for all that a process has, each of which counts from its own start to its own end", async () => {
    const { clock, end, attentive } = setUp();
    await clock.advance(1_000);
    const second = new AbortController();
    const later = createAttentiveClock(clock, second.signal);
    expect(later.monotonicMs()).toBe(0);
    expect(clock.pending()).toBe(1);
    await clock.advance(1_000);
    clock.stall(60_000);
    await clock.advance(0);
    expect([attentive.monotonicMs(), later.monotonicMs()]).toEqual([2_250, 1_250]);
    end.abort();
    await clock.advance(1_000);
    expect([attentive.monotonicMs(), later.monotonicMs()]).toEqual([2_250, 2_250]);
    second.abort();
    expect(clock.pending()).toBe(0);
    await clock.advance(5_000);
    const again = createAttentiveClock(clock, new AbortController().signal);
    await clock.advance(70);
    expect([later.monotonicMs(), again.monotonicMs()]).toEqual([2_250, 70]);
  });

  test("leaves no timer behind, and lets go of those that wait", async () => {
    const { clock, end, attentive } = setUp();
    const slept = attentive.sleep(500, end.signal);
    end.abort();
    await slept;
    expect(clock.pending()).toBe(0);
    expect(createAttentiveClock(clock, end.signal).monotonicMs()).toBe(0);
    expect(clock.pending()).toBe(0);
  });
});
