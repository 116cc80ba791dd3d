/**
 * Passes on what happens to whoever takes it: made before both, so that neither has to be there for the other to be
 * made. What happens before anybody takes it is nobody's.
 */
export class Relay<Item> {
  #take: (item: Item) => void = () => {};

  readonly send = (item: Item): void => this.#take(item);

  to(take: (item: Item) => void): void {
    this.#take = take;
  }
}
