import { expect, test } from "vitest";
import { Handled, keyOf } from "./handled.ts";
import type { Identity, Message } from "./message.ts";

const key = (sequence: number, producer = "p"): Identity => ({ producer, sequence });
const at = (offset: number | null): Message => ({ offset }) as Message;

test("Handled knows the last ones up to its bound and at most as many more, and nothing without a key", () => {
  const handled = new Handled(100);
  const known = (to: number): number =>
    Array.from({ length: to }, (_, i) => i).filter((i) => handled.has(key(i))).length;
  for (let i = 0; i < 300; i++) {
    handled.add(key(i));
    expect(known(i + 1)).toBeGreaterThanOrEqual(Math.min(i + 1, 100));
    expect(known(i + 1)).toBeLessThanOrEqual(200);
    expect(handled.has(key(i, "q"))).toBe(false);
  }
  expect([handled.has(key(250)), handled.has(key(50))]).toEqual([true, false]);
  handled.add(null);
  expect(handled.has(null)).toBe(false);
});

test("keyOf() has a message by its producer, else by its place in a topic", () => {
  expect(keyOf(at(3), key(7))).toEqual(key(7));
  expect(keyOf(at(3), null)).toEqual({ producer: "", sequence: 3 });
  expect(keyOf(at(null), null)).toBeNull();
});
