import { type Counters, COUNTED } from "./broker-deps.ts";
import type { DirectAddress } from "./direct-address.ts";

/** The addresses that hold nothing, by name. */
export class DirectAddresses {
  readonly #byName = new Map<string, DirectAddress>();
  readonly #retired: Counters;

  /** @param retired what those had counted that are gone. */
  constructor(retired: Counters) {
    this.#retired = retired;
  }

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator](): Iterator<DirectAddress> {
    return this.#byName.values();
  }

  get(name: string): DirectAddress | null {
    return this.#byName.get(name) ?? null;
  }

  add(address: DirectAddress): void {
    this.#byName.set(address.name, address);
  }

  /** Does what is due by time, and forgets those that nobody uses. */
  tick(): void {
    for (const [name, address] of this.#byName) {
      if (address.tick()) continue;
      this.#byName.delete(name);
      retire(this.#retired, address.counters);
    }
  }
}

/** Keeps what an address has counted that is forgotten. */
export function retire(retired: Counters, counters: Counters): void {
  for (const event of COUNTED) retired[event] += counters[event];
}
