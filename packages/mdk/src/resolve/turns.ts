import { SLOTS } from "@datawire/protocol";
import { slotOfTurn } from "@datawire/routing";

/** The slots that calls without a sticky key go by, one after the other, from any of them on. */
export class Turns {
  readonly #phase: number;
  #turn = 0;

  constructor(random: () => number) {
    this.#phase = Math.floor(random() * SLOTS);
  }

  next(): number {
    this.#turn += 1;
    return slotOfTurn(this.#turn, this.#phase);
  }
}
