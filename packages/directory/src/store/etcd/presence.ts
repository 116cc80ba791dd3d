import type { Clock } from "@datawire/runtime";
import type { Replica } from "../replication.ts";
import type { Etcd } from "./etcd-client.ts";
import { asEtcdError, EtcdError } from "./etcd-error.ts";

/** Shorter leases end when etcd elects a leader, which takes a second or two. */
const TTL_SECONDS_MIN = 3;

/** How long a directory that has died is still taken to be there: a third of a lease of its Watsons. */
export function presenceTtlMs(leaseMs: number): number {
  return Math.max(TTL_SECONDS_MIN, Math.ceil(leaseMs / 3_000)) * 1_000;
}

/** The key that says that this directory is there, and the lease of etcd that ends it. */
export class Presence {
  readonly #client: Etcd;
  readonly #key: string;
  readonly #replica: Replica;
  readonly #ttlMs: number;
  #lease: string | null = null;

  constructor(client: Etcd, options: { readonly key: string; readonly replica: Replica; readonly leaseMs: number }) {
    this.#client = client;
    this.#key = options.key;
    this.#replica = options.replica;
    this.#ttlMs = presenceTtlMs(options.leaseMs);
  }

  /** The lease of etcd that ends with this directory; null before the first `renew`. */
  get lease(): string | null {
    return this.#lease;
  }

  /**
   * Makes the presence last for another while, and makes it again where it has ended: with the same id, so that what
   * the store says of this directory's Watsons is true again.
   * @returns whether it lasted until now; where it did not, this directory was away for long, or etcd is another one.
   * @throws EtcdError
   */
  async renew(): Promise<boolean> {
    if (this.#lease !== null && (await this.#client.keepAlive(this.#lease))) return true;
    this.#lease = null;
    const lease = await this.#client.grantLease(this.#ttlMs / 1_000);
    const swap = { key: this.#key, value: JSON.stringify(this.#replica), lease };
    const first = await this.#client.swap([{ ...swap, expected: 0 }]);
    if (first.state === "refused") {
      // The key of a lease that is about to end, or of an attempt whose answer never came.
      const expected = first.entries[0]?.revision ?? 0;
      const second = await this.#client.swap([{ ...swap, expected }]);
      if (second.state === "refused") throw new EtcdError("unavailable", "the presence of this directory is contested");
    }
    this.#lease = lease;
    return false;
  }
}

/** How often a presence is renewed; it is also how soon a silent etcd is noticed. */
const BEAT_MS = 1_000;

/** How one renewal ended: `remade` is one that came too late. */
export type Beat = { readonly state: "renewed" | "remade" } | { readonly state: "failed"; readonly error: EtcdError };

/** Renews until the signal aborts, and tells how each time ended. */
export async function runBeats(
  presence: Presence,
  { clock, beaten }: { readonly clock: Clock; readonly beaten: (beat: Beat) => void },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(BEAT_MS, signal);
    if (signal.aborted) return;
    try {
      beaten({ state: (await presence.renew()) ? "renewed" : "remade" });
    } catch (error) {
      beaten({ state: "failed", error: asEtcdError(error) });
    }
  }
}
