import { randomBytes } from "node:crypto";

/**
 * The source of randomness for delays that must not coincide and for unique names; a simulation passes one with a seed.
 */
export interface Chance {
  /** From 0 to below 1. */
  number(): number;
  /** A unique name: 16 hexadecimal digits. */
  id(): string;
}

/** The randomness of the system; not for secrets. */
export const systemChance: Chance = {
  number: Math.random,
  id: () => randomBytes(8).toString("hex"),
};
