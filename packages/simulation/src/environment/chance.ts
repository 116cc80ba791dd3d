import type { Chance } from "@datawire/runtime";

/** Chance that a seed drives: the same seed gives the same numbers, in the order in which they are asked for. */
export interface SeededChance extends Chance {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
}

/** Made with splitmix32: each step adds a constant to the state and mixes its bits. */
export function seededChance(seed: number): SeededChance {
  let state = seed | 0;
  const bits = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const number = (): number => bits() / 2 ** 32;
  const half = (): string => bits().toString(16).padStart(8, "0");
  return {
    number,
    id: () => half() + half(),
    between: (min, max) => min + Math.floor(number() * (max - min + 1)),
  };
}
