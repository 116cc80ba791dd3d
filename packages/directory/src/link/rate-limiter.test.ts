import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { createPace } from "./rate-limiter.ts";

function setUp() {
  const clock = createFakeClock();
  const events: string[] = [];
  const source = { pause: () => void events.push("pause"), resume: () => void events.push("resume") };
  return { clock, events, pace: createPace(source, { clock, pauseMsMax: 5_000 }) };
}

test("createPace() lets a connection alone that takes little time", async () => {
  const { clock, events, pace } = setUp();
  for (let i = 0; i < 100; i++) {
    pace.worked(10);
    await clock.advance(250);
  }
  expect(events).toEqual([]);
});

test("createPace() pauses one that takes much, in proportion", async () => {
  const { clock, events, pace } = setUp();
  pace.worked(40);
  pace.worked(60);
  expect(events).toEqual(["pause"]);
  await clock.advance(399);
  expect(events).toEqual(["pause"]);
  await clock.advance(1);
  expect(events).toEqual(["pause", "resume"]);
});

test("createPace() pauses nobody for longer than its bound", async () => {
  const { clock, events, pace } = setUp();
  pace.worked(60_000);
  await clock.advance(5_000);
  expect(events).toEqual(["pause", "resume"]);
});

test("createPace() leaves no timer behind", () => {
  const { clock, pace } = setUp();
  pace.worked(100);
  pace.end();
  expect(clock.pending()).toBe(0);
});
