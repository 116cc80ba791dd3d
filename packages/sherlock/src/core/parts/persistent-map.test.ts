import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { counted, PersistentMap } from "./persistent-map.ts";

const keys = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.string({ maxLength: 3 }));
const values = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined });
const changes = fc.array(fc.array(fc.tuple(keys, values), { maxLength: 40 }), { maxLength: 6 });

test("PersistentMap holds what a Map does, in every version, and says in what two of them differ", () => {
  fc.assert(
    fc.property(changes, (rounds) => {
      const versions = [
        { map: PersistentMap.empty<string | number, number>(), is: new Map<string | number, number>() },
      ];
      for (const round of rounds) {
        const { map, is } = versions.at(-1) as (typeof versions)[0];
        const next = new Map(is);
        for (const [key, value] of round) {
          if (value === undefined) next.delete(key);
          else next.set(key, value);
        }
        versions.push({ map: map.with(round), is: next });
      }
      const last = versions.at(-1) as (typeof versions)[0];
      for (const { map, is } of versions) {
        expect(new Map(map)).toEqual(is);
        expect([map.size, [...map.keys()].length, [...map.values()].length]).toEqual([is.size, is.size, is.size]);
        for (const key of is.keys()) expect([map.get(key), map.has(key)]).toEqual([is.get(key), true]);
        const all = new Set([...is.keys(), ...last.is.keys()]);
        expect(map.differences(last.map)).toEqual(new Set([...all].filter((key) => is.get(key) !== last.is.get(key))));
      }
    }),
  );
});

test("PersistentMap is the same object where nothing differs", () => {
  const map = PersistentMap.empty<string, number>().with([["a", 1]]);
  expect(map.with([["a", 1]])).toBe(map);
  expect(map.with([["b", undefined]])).toBe(map);
  expect(map.has("b")).toBe(false);
});

test("counted() says how many there are of each, and forgets what there is none of", () => {
  const two = counted(PersistentMap.empty<string, number>(), { gone: [], come: ["a", "b", "a"] });
  expect(new Map(two)).toEqual(
    new Map([
      ["a", 2],
      ["b", 1],
    ]),
  );
  expect(new Map(counted(two, { gone: ["b", "a"], come: ["c"] }))).toEqual(
    new Map([
      ["a", 1],
      ["c", 1],
    ]),
  );
});
