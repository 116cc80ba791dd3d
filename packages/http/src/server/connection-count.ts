import { networkOf } from "./network-of.ts";

interface Open {
  count: number;
  /** Whether it was said that there are too many. */
  told: boolean;
}

/** How many connections are open from where, so that no address alone takes all that there may be. */
export class ConnectionCount {
  readonly #max: number;
  readonly #open = new Map<string, Open>();

  /** @param max for one address, or one network of IPv6. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a connection, which `leave` is to be called for if it is taken. `refused` is one too many, `crowded` the first
   * of them since there were far fewer.
   */
  enter(address: string): "taken" | "crowded" | "refused" {
    const key = networkOf(address);
    const open = this.#open.get(key) ?? { count: 0, told: false };
    this.#open.set(key, open);
    if (open.count < this.#max) {
      open.count += 1;
      return "taken";
    }
    const isFirst = !open.told;
    open.told = true;
    return isFirst ? "crowded" : "refused";
  }

  leave(address: string): void {
    const key = networkOf(address);
    const open = this.#open.get(key);
    if (open === undefined) return;
    open.count -= 1;
    if (open.count <= this.#max / 2) open.told = false;
    if (open.count <= 0) this.#open.delete(key);
  }
}
