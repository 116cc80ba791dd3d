import { CONDITION, WireFailure } from "../types/conditions.ts";
import { ABSENT } from "../types/reader.ts";
import { serialAdd } from "../types/serial.ts";

/** The ids of a session's deliveries, which go up by one in each direction. */
export class DeliveryIds {
  #next = 0;
  #lastReceived = ABSENT;

  /** The id for the next delivery that we send. */
  take(): number {
    const id = this.#next;
    this.#next = serialAdd(id, 1);
    return id;
  }

  /**
   * Requires that a delivery that came has the id after that of the last one. Not so where its link is one that we let go
   * of: the peer may go on with deliveries of which we have forgotten that they were begun.
   */
  count(id: number, detaching: boolean): void {
    const next = serialAdd(this.#lastReceived, 1);
    if (id === ABSENT || (detaching && id !== next)) return;
    if (this.#lastReceived !== ABSENT && id !== next) {
      throw new WireFailure(CONDITION.invalidField, `Cannot take delivery ${id}: wanted ${next}`);
    }
    this.#lastReceived = id;
  }
}
