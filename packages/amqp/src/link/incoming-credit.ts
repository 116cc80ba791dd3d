import type { Flow } from "../frames/flow.ts";
import { ABSENT } from "../types/reader.ts";
import { serialAdd, serialAfter, serialDistance } from "../types/serial.ts";

/** The credit of a link on which messages come to us (specification, part 2.6.7). */
export class IncomingCredit {
  /** How many more messages the sender may send. */
  credit = 0;
  /** Whether the sender was asked to use up or give back its credit, and has not yet. */
  draining = false;
  /**
   * How many messages beyond its credit a sender may send all the same, as some do not count those on their way when they
   * hear of new credit. With more, the link is detached.
   */
  slack = 0;
  /** How many messages came (modulo 2^32). */
  deliveryCount = 0;
  /** The delivery count up to which credit was given at any time: what was on its way when less was given may still come. */
  #limit = 0;

  /** Counts from what the sender says; credit that was given before stands. */
  begin(deliveryCount: number): void {
    this.deliveryCount = deliveryCount;
    this.#limit = serialAdd(deliveryCount, this.credit);
  }

  /** Gives so much credit from now on. */
  give(credit: number, draining: boolean): void {
    this.credit = credit;
    this.draining = draining;
    const limit = serialAdd(this.deliveryCount, credit);
    if (serialAfter(limit, this.#limit)) this.#limit = limit;
  }

  /** Counts a message; false where the sender had no credit for it. */
  take(): boolean {
    if (!serialAfter(serialAdd(this.#limit, this.slack), this.deliveryCount)) return false;
    this.deliveryCount = serialAdd(this.deliveryCount, 1);
    if (this.credit > 0) this.credit--;
    return true;
  }

  /** Takes in what the sender says of itself: what it gives back, and that it has drained. */
  heard(flow: Flow): void {
    if (flow.deliveryCount !== ABSENT) {
      const advance = serialDistance(flow.deliveryCount, this.deliveryCount);
      // It can give back no more than it was given.
      if (advance > 0 && !serialAfter(flow.deliveryCount, this.#limit)) {
        this.deliveryCount = flow.deliveryCount;
        this.credit = Math.max(0, this.credit - advance);
      }
    }
    // The limit stays: an answer to an earlier drain may have crossed with credit that was given after it.
    if (this.draining && flow.drain && this.credit === 0) this.draining = false;
  }

  /** Puts the credit into a flow of ours. */
  tell(flow: Flow): void {
    flow.deliveryCount = this.deliveryCount;
    flow.linkCredit = this.credit;
    flow.drain = this.draining;
  }
}
