import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { MessageIndex } from "./message-index.ts";

test("MessageIndex does what a map would", () => {
  const step = fc.record({
    do: fc.constantFrom("put", "put", "remove", "take", "back"),
    // Over several chunks, with gaps.
    sequence: fc.oneof(
      fc.nat(20),
      fc.nat(20).map((n) => n + 1_015),
      fc.nat(5).map((n) => n + 100_000),
    ),
    length: fc.integer({ min: 1, max: 2 ** 28 - 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (list) => {
      const index = new MessageIndex();
      const model = new Map<
        number,
        { place: { segment: number; offset: number; length: number }; taken: boolean; at: number }
      >();
      for (const [i, { do: what, sequence, length }] of list.entries()) {
        const known = model.get(sequence);
        if (what === "put") {
          const place = { segment: 2 ** 32 - 1 - i, offset: 2 ** 32 - 1 - i, length };
          const at = known?.at ?? 1_000 + i;
          index.put(sequence, place, at);
          model.set(sequence, { place, taken: known?.taken ?? false, at });
        } else if (what === "remove") {
          expect(index.remove(sequence)).toEqual(known?.place ?? null);
          model.delete(sequence);
        } else if (known !== undefined) {
          if (what === "take") index.take(sequence);
          else index.giveBack(sequence);
          known.taken = what === "take";
        }
      }
      const sorted = [...model.keys()].sort((a, b) => a - b);
      expect(index.count).toBe(sorted.length);
      expect(index.bytes).toBe(sorted.reduce((sum, sequence) => sum + model.get(sequence)!.place.length, 0));
      expect(index.first()).toBe(sorted[0] ?? null);
      for (const sequence of sorted) {
        expect(index.place(sequence)).toEqual(model.get(sequence)?.place);
        expect(index.isReady(sequence)).toBe(!model.get(sequence)!.taken);
      }
      for (const from of [0, 7, 1_020, 50_000, 100_003]) {
        expect(index.next(from)).toBe(sorted.find((sequence) => sequence >= from) ?? null);
        expect(index.nextReady(from)).toBe(
          sorted.find((sequence) => sequence >= from && !model.get(sequence)!.taken) ?? null,
        );
      }
    }),
  );
});

test("MessageIndex knows when each message was accepted, however long after the first, and in whichever order they are read", () => {
  const index = new MessageIndex();
  const place = { segment: 1, offset: 0, length: 1 };
  const day = 86_400_000;
  const times = [100 * day, 100 * day + 5, 200 * day, 90 * day, 201 * day];
  for (const [sequence, at] of times.entries()) index.put(sequence, place, at);
  expect(times.map((_, sequence) => index.acceptedAtMs(sequence))).toEqual(times);
});

test("MessageIndex takes little memory for few messages, wherever they are", () => {
  const before = process.memoryUsage().arrayBuffers;
  const place = { segment: 1, offset: 0, length: 1 };
  const many = Array.from({ length: 10_000 }, (_, index) => {
    const one = new MessageIndex();
    one.put(index, place, 1);
    return one;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000 * 1_000);
  expect(many.map((one) => one.first())).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});
