import { SLOTS } from "@datawire/protocol";
import { xxHash32 } from "js-xxhash";

/** The slot of a sticky table that a value has, in whatever program draws it (docs/protocol.md, "The table"). */
export function slotOf(service: string, value: string): number {
  return xxHash32(`${service}|${value}`, 0) % SLOTS;
}

/**
 * How the slots of one request after the other follow each other. `step` is coprime to their number, so that each slot
 * has its turn once in a round, and far from a fraction with a small denominator, so that a share's are far apart. In
 * `round` requests there are `steps` steps: nine of them are left out, each in another round, so that who repeats a
 * pattern meets other slots with each.
 */
export const TURNS = { step: 5_799, round: 100_000, steps: 100_009 } as const;

/**
 * The slot of a request without a sticky key: of 10,000 requests in a row, whichever they are, each share gets its part
 * but for one, of 1,000 but for three (decision 26).
 * @param turn counts the requests of one caller to one service
 * @param phase where that began: any slot, at random
 */
export function slotOfTurn(turn: number, phase: number): number {
  return (Math.floor((turn * TURNS.steps) / TURNS.round) * TURNS.step + phase) % SLOTS;
}
