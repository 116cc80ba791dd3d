import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { PortWatch } from "./port-watch.ts";

function fixture(counts: Map<number, number> | null = new Map()) {
  const clock = createFakeClock();
  const watch = new PortWatch({ clock, read: () => counts && new Map(counts) });
  return { clock, watch, counts: counts ?? new Map<number, number>() };
}

test("PortWatch tells when a socket of the port goes, and when it comes back", async () => {
  const { clock, watch, counts } = fixture(new Map([[8080, 1]]));
  const told: number[] = [];
  watch.watch(8080, () => told.push(clock.monotonicMs()));
  told.length = 0; // what was there before is no news
  await clock.advance(1_000);
  expect(told).toEqual([]);
  counts.delete(8080);
  await clock.advance(125);
  expect(told).toEqual([1_125]);
  counts.set(8080, 1);
  await clock.advance(125);
  expect(told).toEqual([1_125, 1_250]);
});

test("PortWatch looks at nothing while nobody watches", async () => {
  const { clock, watch } = fixture();
  const unwatch = watch.watch(8080, () => {});
  expect(clock.pending()).toBe(1);
  unwatch();
  expect(clock.pending()).toBe(0);
});

test("PortWatch rests where the system does not tell", () => {
  const { clock, watch } = fixture(null);
  watch.watch(8080, () => {});
  expect(clock.pending()).toBe(0);
});

test("PortWatch looks again where looking fails for a moment, as without a free file descriptor", async () => {
  const clock = createFakeClock();
  let counts: Map<number, number> | null = new Map([[8080, 1]]);
  const watch = new PortWatch({ clock, read: () => counts });
  const told: number[] = [];
  watch.watch(8080, () => told.push(clock.monotonicMs()));
  told.length = 0;
  counts = null;
  await clock.advance(1_000);
  expect(told).toEqual([]);
  counts = new Map();
  await clock.advance(125);
  expect(told).toEqual([1_125]);
});

test("PortWatch looks at the whole while a port has no socket, and every five seconds else", async () => {
  const clock = createFakeClock();
  const counts = new Map([[8080, 1]]);
  const wholes: boolean[] = [];
  const watch = new PortWatch({
    clock,
    read: (until) => {
      wholes.push(until === null);
      return new Map(counts);
    },
  });
  watch.watch(8080, () => {});
  await clock.advance(5_000);
  expect(wholes).toHaveLength(41);
  expect(wholes.flatMap((whole, i) => (whole ? [i] : []))).toEqual([0, 40]);
  counts.clear();
  await clock.advance(375);
  expect(wholes.slice(41)).toEqual([false, true, true]);
});
