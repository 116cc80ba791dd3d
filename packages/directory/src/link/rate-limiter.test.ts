import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

function setUp() {
  const clock = createFakeClock();
  const events: string[] = [];
  const source = { pause: () => void events.push("pause"), resume: () => void events.push("resume") };
  return { clock, events, rateLimiter: createRateLimiter(source, { clock, pauseMsMax: 5_000 }) };
}

test("createRateLimiter() lets a connection alone that takes little time", async () => {
  const { clock, events, rateLimiter } = setUp();
  for (let i = 0; i < 100; i++) {
    rateLimiter.worked(10);
    await clock.advance(250);
  }
  expect(events).toEqual([]);
});

test("createRateLimiter() pauses one that takes much, in proportion", async () => {
  const { clock, events, rateLimiter } = setUp();
  rateLimiter.worked(40);
  rateLimiter.worked(60);
  expect(events).toEqual(["pause"]);
  await clock.advance(399);
  expect(events).toEqual(["pause"]);
  await clock.advance(1);
  expect(events).toEqual(["pause", "resume"]);
});

test("createRateLimiter() pauses nobody for longer than its bound", async () => {
  const { clock, events, rateLimiter } = setUp();
  rateLimiter.worked(60_000);
  await clock.advance(5_000);
  expect(events).toEqual(["pause", "resume"]);
});

test("createRateLimiter() leaves no timer behind", () => {
  const { clock, rateLimiter } = setUp();
  rateLimiter.worked(100);
  rateLimiter.end();
  expect(clock.pending()).toBe(0);
});
