/** A delivery in the list of its link. */
export interface Listed<D> {
  before: D | null;
  after: D | null;
}

/** The unsettled deliveries of one link in order; each is its own place in the list, so that none costs memory of its own. */
export class DeliveryList<D extends Listed<D>> {
  #first: D | null = null;
  #last: D | null = null;
  size = 0;

  add(delivery: D): void {
    delivery.before = this.#last;
    if (this.#last === null) this.#first = delivery;
    else this.#last.after = delivery;
    this.#last = delivery;
    this.size++;
  }

  /** Takes out a delivery that is in the list. */
  delete(delivery: D): void {
    const { before, after } = delivery;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    delivery.before = null;
    delivery.after = null;
    this.size--;
  }

  /** All of them, the oldest first; the one that was given last may be taken out meanwhile. */
  *[Symbol.iterator](): Generator<D> {
    let delivery = this.#first;
    while (delivery !== null) {
      const { after } = delivery;
      yield delivery;
      delivery = after;
    }
  }

  /** The oldest; null where there is none. */
  get first(): D | null {
    return this.#first;
  }
}
