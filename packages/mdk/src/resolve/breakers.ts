import { Breaker, type BreakerSettings } from "../session/breaker.ts";

/** The breakers of one environment, by service and address. */
export class Breakers {
  readonly #settings: BreakerSettings;
  readonly #byService = new Map<string, Map<string, Breaker>>();

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  of(service: string, address: string): Breaker {
    const known = this.#byService.get(service)?.get(address);
    if (known !== undefined) return known;
    const breaker = new Breaker(this.#settings);
    const there = this.#byService.get(service);
    if (there === undefined) this.#byService.set(service, new Map([[address, breaker]]));
    else there.set(address, breaker);
    return breaker;
  }

  /** Forgets those of addresses that a service no longer has; one that has tripped stays, as the address may come back. */
  keep(service: string, addresses: ReadonlySet<string>): void {
    const there = this.#byService.get(service);
    if (there === undefined) return;
    for (const [address, breaker] of there) if (!addresses.has(address) && breaker.isClosed) there.delete(address);
    if (there.size === 0) this.#byService.delete(service);
  }
}
