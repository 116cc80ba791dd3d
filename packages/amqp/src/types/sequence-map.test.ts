import { expect, test } from "vitest";
import { SequenceMap, SequenceSet } from "./sequence-map.ts";

interface Seen {
  readonly value: number;
}

/** Draws by a seed, as the other fuzzers of this package do. */
function* draws(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test.each([
  ["from nothing", 0],
  ["where delivery ids go round", 2 ** 32 - 5_000],
  ["beyond 32 bits", 2 ** 40],
  ["up to the last whole numbers", Number.MAX_SAFE_INTEGER - 30_000],
])("a SequenceMap says what a Map says, %s", (_where, first) => {
  const random = draws(first % 9_973);
  const draw = (): number => random.next().value as number;
  const [ours, theirs] = [new SequenceMap<Seen>(), new Map<number, Seen>()];
  let next = first;
  for (let step = 0; step < 3_000; step++) {
    const isFlood = step % 1_000 < 400;
    if (draw() < (isFlood ? 0.9 : 0.45)) {
      next += draw() < 0.01 ? Math.floor(draw() * 100) : 1;
      const seen = { value: step };
      ours.set(next, seen);
      theirs.set(next, seen);
    } else {
      // Mostly the oldest; those of a multiple of 97 stay for long.
      for (const key of theirs.keys()) {
        if (key % 97 === 0 && draw() < 0.999) continue;
        expect(ours.delete(key)).toBe(theirs.delete(key));
        break;
      }
    }
    const asked = next - Math.floor(draw() * 2_000);
    const told = [ours.get(asked), ours.has(asked), ours.size];
    expect(told).toEqual([theirs.get(asked), theirs.has(asked), theirs.size]);
  }
  expect(ours.keys()).toEqual([...theirs.keys()].toSorted((a, b) => a - b));
  expect(ours.size).toBeGreaterThan(10);
  for (const key of ours.keys()) expect([ours.delete(key), ours.delete(key)]).toEqual([true, false]);
  expect([ours.size, ours.keys()]).toEqual([0, []]);
});

test("a SequenceMap keeps what has the same last bits, and replaces what has the same key", () => {
  const map = new SequenceMap<Seen>();
  const keys = Array.from({ length: 100 }, (_, i) => i * 2 ** 20);
  for (const key of keys) map.set(key, { value: key });
  for (const key of keys) map.set(key, { value: key + 1 });
  expect(map.size).toBe(100);
  expect(keys.map((key) => map.get(key)?.value)).toEqual(keys.map((key) => key + 1));
  expect(map.keys()).toEqual(keys);
  map.clear();
  expect([map.size, map.get(0), map.delete(0)]).toEqual([0, undefined, false]);
});

test("a SequenceMap keeps what is left when nearly all of very many have gone", () => {
  const map = new SequenceMap<Seen>();
  const count = 100_000;
  for (let key = 0; key < count; key++) map.set(key, { value: key });
  let gone = 0;
  for (let key = 0; key < count; key++) if (key % 9_999 !== 0 && map.delete(key)) gone++;
  expect(gone).toBe(count - 11);
  const left = Array.from({ length: 11 }, (_, i) => i * 9_999);
  expect([map.size, map.keys(), map.keys().map((key) => map.get(key)?.value)]).toEqual([11, left, left]);
  for (const key of left) expect(map.delete(key)).toBe(true);
  map.set(7, { value: 7 });
  expect(map.keys()).toEqual([7]);
});

test("a SequenceSet has each number once", () => {
  const set = new SequenceSet();
  for (const key of [7, 5, 7, 6]) set.add(key);
  expect([set.size, set.keys()]).toEqual([3, [5, 6, 7]]);
  expect([set.delete(7), set.delete(7), set.size]).toEqual([true, false, 2]);
});
