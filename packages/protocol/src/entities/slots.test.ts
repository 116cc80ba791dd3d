import fc from "../testing/random.ts";
import { expect, test } from "vitest";
import { ALL_SLOTS, assignSlots, countSlots, divideSlots, joinSlots, remainingSlots, type Slots } from "./slots.ts";

const shares = fc
  .array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 6 })
  .map((list) => list.map((share) => Math.floor(share / Math.max(1, list.length))));

const members = (slots: Slots): Set<number> =>
  new Set(slots.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)));

test("assignSlots() gives each claim its count, and no slot twice", () => {
  fc.assert(
    fc.property(shares, shares, (before, after) => {
      const held = assignSlots(before.map((share) => ({ slots: [], share })));
      const assigned = assignSlots(after.map((share, i) => ({ slots: held[i] ?? [], share })));
      expect(assigned.map(countSlots)).toEqual(after);
      expect(countSlots(joinSlots(assigned))).toBe(after.reduce((a, b) => a + b, 0));
    }),
  );
});

test("assignSlots() moves nobody away from a claim that grows", () => {
  fc.assert(
    fc.property(shares, shares, (before, after) => {
      const held = assignSlots(before.map((share) => ({ slots: [], share })));
      const assigned = assignSlots(after.map((share, i) => ({ slots: held[i] ?? [], share })));
      before.forEach((share, i) => {
        if ((after[i] ?? -1) < share) return;
        const now = members(assigned[i] as Slots);
        expect([...members(held[i] as Slots)].every((slot) => now.has(slot))).toBe(true);
      });
    }),
  );
});

test("divideSlots() gives away every slot in proportion, and none to a weight of zero", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 8 }), (weights) => {
      const total = weights.reduce((a, b) => a + b, 0);
      const divided = divideSlots(ALL_SLOTS, weights);
      expect(countSlots(joinSlots(divided))).toBe(total === 0 ? 0 : 10_000);
      weights.forEach((weight, i) => {
        const exact = total === 0 ? 0 : (10_000 * weight) / total;
        expect(Math.abs(countSlots(divided[i] as Slots) - exact)).toBeLessThan(1);
      });
    }),
  );
});

test("remainingSlots() is the complement", () => {
  expect(remainingSlots([[[0, 10]], [[20, 30]]])).toEqual([
    [10, 20],
    [30, 10_000],
  ]);
  expect(remainingSlots([[[0, 10_000]]])).toEqual([]);
});
