import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import type { SlotRange } from "@datawire/protocol";
import { assignBlocks, PAIR_SIZE } from "./blocks.ts";
import { BLOCK_SIZE, blockLines, prefixesOf } from "./prefixes.ts";

/** HAProxy's look-up: the longest prefix that covers the number. */
function lookUp(lines: ReadonlyMap<string, string>, number: number): string | undefined {
  for (let bits = 32; bits >= 0; bits--) {
    const start = number - (number % 2 ** (32 - bits));
    const address = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".");
    const node = lines.get(`${address}/${bits}`);
    if (node !== undefined) return node;
  }
  return undefined;
}

const base = fc.integer({ min: 0, max: 2 ** 18 - 1 }).map((block) => block * BLOCK_SIZE);

test("prefixesOf() writes the whole of a block as one prefix", () => {
  expect(prefixesOf(0, [0, BLOCK_SIZE])).toEqual(["0.0.0.0/18"]);
  expect(prefixesOf(2 ** 32 - BLOCK_SIZE, [0, 1])).toEqual(["255.255.192.0/32"]);
  expect(prefixesOf(0, [3, 3])).toEqual([]);
});

test("blockLines() gives every slot to the part that has it, and the rest to the first", () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(base, cuts, fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 30 }), (at, points, slots) => {
      const sorted = points.toSorted((a, b) => a - b);
      const ranges = sorted.slice(1).map((to, i): SlotRange => [sorted[i] as number, to]);
      const parts = [{ node: "rest", slots: [] }, ...ranges.map((range, i) => ({ node: `n${i}`, slots: [range] }))];
      const lines = blockLines(at, parts);
      const map = new Map(lines);
      expect(map.size).toBe(lines.length);
      for (const slot of [...slots, ...sorted.filter((point) => point < 10_000)]) {
        const owner = ranges.findIndex(([from, to]) => slot >= from && slot < to);
        expect(lookUp(map, at + slot)).toBe(owner < 0 ? "rest" : `n${owner}`);
      }
    }),
    { numRuns: 60 },
  );
});

test("assignBlocks() gives each key a pair of its own, whatever the order, and moves few when one comes", () => {
  const keys = Array.from({ length: 2_000 }, (_, i) => `service-${i}`);
  const bases = assignBlocks(keys);
  expect(new Set(bases.values()).size).toBe(keys.length);
  expect([...bases.values()].every((value) => value % PAIR_SIZE === 0 && value < 2 ** 32)).toBe(true);
  expect(assignBlocks(keys.toReversed())).toEqual(bases);
  const more = assignBlocks([...keys, "another"]);
  expect(keys.filter((key) => more.get(key) !== bases.get(key)).length).toBeLessThan(3);
});
