import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { assignBlocks, NO_BLOCKS, PAIR_SIZE, reassignBlocks } from "./blocks.ts";

/** Names of which several hash to one place, or to the next: of others any way to assign them would do. */
const CROWDED = (() => {
  const names = Array.from({ length: 4_000 }, (_, i) => `service${i}`);
  const homes = Map.groupBy(names, (name) => (assignBlocks([name]).get(name) as number) / PAIR_SIZE);
  const crowded = [...homes].flatMap(([home, some]) => [
    ...(some.length > 1 ? some : []),
    ...(homes.has(home + 1) ? [...some, ...(homes.get(home + 1) ?? [])] : []),
  ]);
  return [...new Set(crowded)].slice(0, 60);
})();

const keys = fc.uniqueArray(fc.oneof(fc.constantFrom(...CROWDED), fc.string({ minLength: 1, maxLength: 2 })), {
  maxLength: 40,
});

test("reassignBlocks() says what assignBlocks() does of all keys, however they came and went", () => {
  expect(CROWDED.length).toBe(60);
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 8 }), (sets) => {
      let blocks = NO_BLOCKS;
      for (const wanted of sets) {
        const now = new Set(wanted);
        const gone = new Set([...blocks.bases.keys()].filter((key) => !now.has(key)));
        const come = new Set(wanted.filter((key) => !blocks.bases.has(key)));
        blocks = reassignBlocks(blocks, { gone, come });
        expect(new Map(blocks.bases)).toEqual(assignBlocks(wanted));
        expect(new Map([...blocks.owners].map(([base, key]) => [key, base]))).toEqual(new Map(blocks.bases));
      }
    }),
    { numRuns: 300 },
  );
});
