import { expect, test } from "vitest";
import { type Backoff, backoff } from "./backoff.ts";

/** The first `count` waits. */
function waits(first: Backoff, count: number): number[] {
  const result: number[] = [];
  for (let current = first; result.length < count;) {
    const { delayMs, backoff: next } = current.next();
    result.push(delayMs);
    current = next;
  }
  return result;
}

test("backoff() doubles its bound up to the cap", () => {
  const first = backoff({ baseMs: 100, capMs: 1_000, random: () => 0.5 });
  expect(waits(first, 6)).toEqual([50, 100, 200, 400, 500, 500]);
});

test("backoff() spreads over the whole range", () => {
  expect(waits(backoff({ baseMs: 100, capMs: 1_000, random: () => 0 }), 3)).toEqual([0, 0, 0]);
});

test("backoff() stays at its cap however often it is asked", () => {
  const all = waits(backoff({ baseMs: 100, capMs: 1_000, random: () => 0.999 }), 2_000);
  expect(Math.max(...all)).toBe(999);
});

test("backoff() is a value: the same step twice gives the same bound", () => {
  const { backoff: second } = backoff({ baseMs: 100, capMs: 1_000, random: () => 0.5 }).next();
  expect(second.next().delayMs).toBe(second.next().delayMs);
});
