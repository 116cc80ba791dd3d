import { randomBytes } from "node:crypto";

/** The source of delays that must not coincide and of unique names; a simulation passes one with a seed. */
export interface Chance {
  /** From 0 to below 1. */
  number(): number;
  /** A unique name: 16 hexadecimal digits. */
  id(): string;
}

/** The randomness of the system. Secrets are never made with it. */
export const systemChance: Chance = {
  number: Math.random,
  id: () => randomBytes(8).toString("hex"),
};
