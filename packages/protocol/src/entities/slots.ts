import type { SlotRange } from "./model.ts";
import { SLOTS } from "../words/percent.ts";

/**
 * Sets of slots, as sorted lists of half-open ranges that do not touch. Which slots a target has is remembered, so
 * that a sticky user keeps the same side while percentages change (routing rules, section 4).
 */
export type Slots = readonly SlotRange[];

/** All slots. */
export const ALL_SLOTS: Slots = [[0, SLOTS]];

/** How many slots these ranges have. */
export function countSlots(slots: Slots): number {
  return slots.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** The slots of `all` that are in none of `taken`. */
export function remainingSlots(taken: readonly Slots[], all: Slots = ALL_SLOTS): SlotRange[] {
  const ranges = taken.flat().toSorted((a, b) => a[0] - b[0]);
  const rest: SlotRange[] = [];
  for (const [from, to] of all) {
    let next = from;
    for (const [takenFrom, takenTo] of ranges) {
      if (takenTo <= next || takenFrom >= to) continue;
      if (takenFrom > next) rest.push([next, takenFrom]);
      next = Math.max(next, takenTo);
    }
    if (next < to) rest.push([next, to]);
  }
  return rest;
}

/** The union of sets that do not overlap. */
export function joinSlots(sets: readonly Slots[]): SlotRange[] {
  const joined: SlotRange[] = [];
  for (const [from, to] of sets.flat().toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === from) joined[joined.length - 1] = [last[0], to];
    else if (to > from) joined.push([from, to]);
  }
  return joined;
}

/** The lowest `count` slots of a set, and the rest of it. */
export function takeSlots(slots: Slots, count: number): { taken: SlotRange[]; rest: SlotRange[] } {
  const taken: SlotRange[] = [];
  const rest: SlotRange[] = [];
  let wanted = count;
  for (const [from, to] of slots) {
    const cut = Math.min(to, from + wanted);
    if (cut > from) taken.push([from, cut]);
    if (to > cut) rest.push([cut, to]);
    wanted -= cut - from;
  }
  return { taken, rest };
}

/** The slots that one route has, and how many it is to have. */
export interface Claim {
  readonly slots: Slots;
  /** How many slots it is to have. */
  readonly share: number;
}

/**
 * Gives each claim exactly `share` slots and moves as few as possible: a claim keeps its lowest slots, and gets what it
 * lacks from those that no claim keeps, which are the primary's. All shares together are at most 10,000.
 */
export function assignSlots(claims: readonly Claim[]): SlotRange[][] {
  const kept = claims.map(({ slots, share }) => takeSlots(slots, share).taken);
  let free = remainingSlots(kept);
  return claims.map(({ share }, i) => {
    const own = kept[i] as SlotRange[];
    const { taken, rest } = takeSlots(free, share - countSlots(own));
    free = rest;
    return joinSlots([own, taken]);
  });
}

/**
 * Divides a set in proportion to `weights`, by largest remainder; equal input gives equal output. A weight of zero
 * gets nothing.
 */
export function divideSlots(slots: Slots, weights: readonly number[]): SlotRange[][] {
  const counts = apportion(countSlots(slots), weights);
  let rest: Slots = slots;
  return counts.map((count) => {
    const cut = takeSlots(rest, count);
    rest = cut.rest;
    return cut.taken;
  });
}

/** Whole numbers that add up to `total` in proportion to `weights`, by largest remainder, earlier ones first at a tie. */
export function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const counts = exact.map(Math.floor);
  const missing = total - counts.reduce((a, b) => a + b, 0);
  const byRemainder = exact
    .map((value, i) => ({ i, remainder: value - Math.floor(value) }))
    .filter(({ i }) => (weights[i] as number) > 0)
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of byRemainder.slice(0, missing)) counts[i] = (counts[i] as number) + 1;
  return counts;
}
