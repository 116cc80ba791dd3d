import { SLOTS } from "@datawire/protocol";
import { expect, test } from "vitest";
import { slotOf, slotOfTurn } from "./draw.ts";

test("slotOf() gives a value always the same slot, and values of another service others", () => {
  expect(slotOf("barker", "ann")).toBe(slotOf("barker", "ann"));
  expect(slotOf("barker", "ann")).not.toBe(slotOf("emitter", "ann"));
});

test("slotOf() spreads values evenly over the slots", () => {
  const low = Array.from({ length: 10_000 }, (_, i) => slotOf("barker", `user ${i}`)).filter(
    (slot) => slot < SLOTS / 4,
  );
  expect(Math.abs(low.length / 10_000 - 0.25)).toBeLessThan(0.02);
});

/** How far what a share gets of so many requests in a row is ever from its part. */
function deviation(share: number, window: number, phase: number): number {
  const total = 60_000;
  const sums = new Int32Array(total + 1);
  for (let i = 0; i < total; i++) sums[i + 1] = (sums[i] ?? 0) + (slotOfTurn(12_345 + i, phase) < share ? 1 : 0);
  let most = 0;
  for (let i = 0; i + window <= total; i++)
    most = Math.max(most, Math.abs((sums[i + window] ?? 0) - (sums[i] ?? 0) - (window * share) / SLOTS));
  return most;
}

const SHARES = [1, 5, 10, 50, 100, 250, 333, 1_000, 1_234, 2_500, 3_333, 5_000, 9_999];
const PHASES = [0, 370, 5_001, 9_999];

test.each(SHARES)(
  "slotOfTurn() gives %d slots their part of any 10,000 requests but for one, and of 1,000 but for three",
  (share) => {
    for (const phase of PHASES) {
      expect(deviation(share, 10_000, phase)).toBeLessThanOrEqual(1);
      expect(deviation(share, 1_000, phase)).toBeLessThanOrEqual(3 + 1e-9);
    }
  },
);

test("slotOfTurn() gives each slot a hundred of a million turns, but for one", () => {
  const counts = new Uint16Array(SLOTS);
  for (let turn = 0; turn < 1_000_000; turn++) {
    const slot = slotOfTurn(turn, 7);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(99);
  expect(Math.max(...counts)).toBeLessThanOrEqual(101);
});

test.each([2, 3, 4, 5, 7, 8, 10, 16, 20, 25, 50, 64, 99, 100, 101, 128, 1_000, 10_000])(
  "who has something else in one request of %d meets a share about as often as by chance",
  (every) => {
    for (const share of [10, 100, 1_000, 5_000]) {
      const part = share / SLOTS;
      let squares = 0;
      for (let i = 0; i < 20; i++) {
        const phase = (i * 7_919) % SLOTS;
        let hits = 0;
        for (let j = 0; j < 1_000; j++) if (slotOfTurn(i * 99_991 + j * every, phase) < share) hits += 1;
        squares += (hits - 1_000 * part) ** 2;
      }
      const byChance = Math.sqrt(1_000 * part * (1 - part));
      expect(Math.sqrt(squares / 20)).toBeLessThan(3.2 * byChance);
    }
  },
);
