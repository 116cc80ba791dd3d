import { networkOf } from "@datawire/http";

/** How many refusals one address gets an explanation for at once, and how fast it may have more. */
const BURST = 20;
const REFILL_MS = 3_000;
/** The most addresses that are remembered; past it the one that was refused longest ago is forgotten. */
const ADDRESSES_MAX = 10_000;

interface Bucket {
  /** When it is, or was, full again. Counted in refusals, it has `BURST` minus what is missing until then. */
  fullAtMs: number;
}

/**
 * Bounds what whoever tries tokens costs: past the bound, an address is told to wait and nothing is logged. A token that
 * holds is taken all the same, so that nobody can lock others out who come from the same address.
 */
export class RefusalLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Counts a refusal. Returns whether it is within the bound. */
  count(address: string, nowMs: number): boolean {
    const key = networkOf(address);
    const fullAtMs = Math.max(this.#buckets.get(key)?.fullAtMs ?? 0, nowMs) + REFILL_MS;
    const within = fullAtMs - nowMs <= BURST * REFILL_MS;
    this.#buckets.delete(key); // so that the order of the map is that of the last refusals
    this.#buckets.set(key, { fullAtMs: within ? fullAtMs : nowMs + BURST * REFILL_MS });
    if (this.#buckets.size > ADDRESSES_MAX) this.#forgetOldest();
    return within;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

/** After how long an address that is past the bound may ask again. */
export const RETRY_AFTER_SECONDS = REFILL_MS / 1_000;
