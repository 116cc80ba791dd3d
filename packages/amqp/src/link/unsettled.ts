import { CONDITION, WireFailure } from "../types/conditions.ts";
import { SequenceMap } from "../types/sequence-map.ts";
import { serialAdd, serialDistance } from "../types/serial.ts";
import type { DeliveryState } from "../frames/delivery-state.ts";

/** A delivery that one side or both have not settled. */
export interface UnsettledDelivery {
  readonly id: number;
  /** Takes in what the peer says of it. */
  heard(state: DeliveryState | null, settled: boolean): void;
}

/** The unsettled deliveries of one direction of a session, by delivery id. */
export class Unsettled {
  readonly #byId = new SequenceMap<UnsettledDelivery>();

  get size(): number {
    return this.#byId.size;
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  add(delivery: UnsettledDelivery): void {
    this.#byId.set(delivery.id, delivery);
  }

  delete(id: number): void {
    this.#byId.delete(id);
  }

  clear(): void {
    this.#byId.clear();
  }

  /**
   * Tells all deliveries from `first` to `last` what the peer said. The work is bounded by how many there are, whatever
   * the peer names. Throws `WireFailure` where the range ends before it begins.
   */
  tell(first: number, last: number, state: DeliveryState | null, settled: boolean): void {
    const count = serialDistance(last, first) + 1;
    if (count <= 0)
      throw new WireFailure(CONDITION.invalidField, `Cannot use deliveries ${first} to ${last}: it is no range`);
    if (count <= this.#byId.size) {
      for (let i = 0, id = first; i < count; i++, id = (id + 1) >>> 0) this.#byId.get(id)?.heard(state, settled);
      return;
    }
    // By what they are after `first`, as ids may lie on both sides of a range that is nearly half of them all.
    const after = this.#byId.keys().map((id) => (id - first) >>> 0);
    for (const place of after.filter((each) => each < count).toSorted((a, b) => a - b))
      this.#byId.get(serialAdd(first, place))?.heard(state, settled);
  }
}
