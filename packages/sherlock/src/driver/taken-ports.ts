import { type Clock, type Logger, tryListen } from "@datawire/runtime";
import type { TcpListener } from "../core/model/plan.ts";
import { explainTaken } from "../setup/ports.ts";

const RECHECK_MS = 5_000;

/**
 * The ports that TCP services want and other processes have. Each is tried before HAProxy is, and again from time to
 * time: a reload that meets a taken port refuses all connections for two seconds.
 */
export class TakenPorts {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #taken = new Map<string, string>();
  #recheckMs: number | null = null;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `host:port` → who has it. */
  get reasons(): ReadonlyMap<string, string> {
    return this.#taken;
  }

  /** Tries those of `wanted` that are not among `ours`. */
  async check(wanted: Iterable<TcpListener>, ours: Iterable<string>): Promise<void> {
    const held = new Set(ours);
    for (const { service, host, port } of wanted) {
      const place = `${host}:${port}`;
      if (held.has(place)) continue;
      const error = await tryListen({ host, port });
      if (error === null) continue;
      const reason = explainTaken(error);
      this.#log.error("TCP service without its port", { service, port: place, reason });
      this.#taken.set(place, reason);
    }
    if (this.#taken.size > 0) this.#recheckMs ??= this.#clock.monotonicMs() + RECHECK_MS;
  }

  /** Tries again those that were taken, when it is time. @returns whether one has become free. */
  async recheck(): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#recheckMs === null || nowMs < this.#recheckMs) return false;
    let freed = false;
    for (const place of this.#taken.keys()) {
      const colon = place.lastIndexOf(":");
      if ((await tryListen({ host: place.slice(0, colon), port: Number(place.slice(colon + 1)) })) !== null) continue;
      this.#taken.delete(place);
      freed = true;
    }
    this.#recheckMs = this.#taken.size === 0 ? null : nowMs + RECHECK_MS;
    return freed;
  }

  /** How long until they are to be tried again; null for never. */
  delayMs(): number | null {
    return this.#recheckMs === null ? null : Math.max(0, this.#recheckMs - this.#clock.monotonicMs());
  }
}
