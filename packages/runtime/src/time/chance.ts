import { randomBytes } from "node:crypto";

/** Where what must not happen at once everywhere, or be named alike, comes from; a simulation passes one with a seed. */
export interface Chance {
  /** From 0 to below 1. */
  number(): number;
  /** A name that nobody else has: 16 hexadecimal digits. */
  id(): string;
}

/** The real one. Secrets are never made with it, but with what the system has for them. */
export const systemChance: Chance = {
  number: Math.random,
  id: () => randomBytes(8).toString("hex"),
};
