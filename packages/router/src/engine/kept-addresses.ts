import { isReserved } from "../address/address.ts";
import type { Counters } from "./broker-deps.ts";
import { retire } from "./direct-addresses.ts";
import type { KeptAddress } from "./kept-address.ts";

/** An address without links, messages and settings of its own is forgotten after this. */
const IDLE_MS_MAX = 600_000;

/** The addresses that keep messages, by name and by their number in the log. */
export class KeptAddresses {
  readonly #byName = new Map<string, KeptAddress>();
  readonly #byId = new Map<number, KeptAddress>();
  readonly #retired: Counters;
  /** Whether it was looked since the last tick which of them can go. */
  #isLookedAt = false;

  /** @param retired what those had counted that are gone. */
  constructor(retired: Counters) {
    this.#retired = retired;
  }

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator](): Iterator<KeptAddress> {
    return this.#byName.values();
  }

  /** Those that are in the log. */
  get logged(): Iterable<KeptAddress> {
    return this.#byId.values();
  }

  get(name: string): KeptAddress | undefined {
    return this.#byName.get(name);
  }

  ofId(id: number): KeptAddress | undefined {
    return this.#byId.get(id);
  }

  add(address: KeptAddress): void {
    this.#byName.set(address.name, address);
    if (address.id > 0) this.#byId.set(address.id, address);
  }

  forget(address: KeptAddress): void {
    retire(this.#retired, address.counters);
    this.#byName.delete(address.name);
    this.#byId.delete(address.id);
  }

  /** Does what is due by time. @returns those that are to be forgotten. */
  tick(nowMs: number): string[] {
    this.#isLookedAt = false;
    for (const address of this) address.tick(nowMs);
    return this.#names(({ idleSinceMs }) => idleSinceMs !== null && nowMs - idleSinceMs >= IDLE_MS_MAX);
  }

  /** Those that nothing keeps, for whoever needs their room before their time; a look at all of them once a tick. */
  unused(): string[] {
    if (this.#isLookedAt) return [];
    this.#isLookedAt = true;
    // A dynamic one waits for its container to come back.
    return this.#names((address) => address.isUnused && !isReserved(address.name));
  }

  #names(which: (address: KeptAddress) => boolean): string[] {
    const names: string[] = [];
    for (const address of this) if (which(address)) names.push(address.name);
    return names;
  }
}
