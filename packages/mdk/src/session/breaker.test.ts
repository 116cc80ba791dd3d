import { expect, test } from "vitest";
import { Breaker } from "./breaker.ts";

const settings = { failures: 3, pauseMs: 30_000 };

test("Breaker trips after so many failures in a row, and forgets them after a success", () => {
  const breaker = new Breaker(settings);
  expect([breaker.failed(0), breaker.failed(0), breaker.succeeded()]).toEqual(["none", "none", "none"]);
  expect([breaker.failed(1), breaker.failed(2), breaker.failed(3)]).toEqual(["none", "none", "tripped"]);
  expect([breaker.isClosed, breaker.allows(30_002), breaker.allows(30_003)]).toEqual([false, false, true]);
});

test("Breaker lets one try through, and another one a pause later if nobody said how that went", () => {
  const breaker = new Breaker({ ...settings, failures: 1 });
  breaker.failed(0);
  expect(breaker.allows(30_000)).toBe(true);
  breaker.begin(30_000);
  expect([breaker.allows(30_000), breaker.allows(59_999), breaker.allows(60_000)]).toEqual([false, false, true]);
});

test("Breaker closes with a success, and trips again with a failure", () => {
  const breaker = new Breaker({ ...settings, failures: 1 });
  breaker.failed(0);
  breaker.begin(30_000);
  expect(breaker.failed(30_500)).toBe("none");
  expect([breaker.allows(60_499), breaker.allows(60_500)]).toEqual([false, true]);
  expect(breaker.succeeded()).toBe("closed");
  expect([breaker.isClosed, breaker.untilMs, breaker.failed(60_501)]).toEqual([true, null, "tripped"]);
});

test("Breaker of no failures never trips", () => {
  const breaker = new Breaker({ ...settings, failures: 0 });
  for (let i = 0; i < 100; i++) breaker.failed(i);
  expect(breaker.isClosed).toBe(true);
});
