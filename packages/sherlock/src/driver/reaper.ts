import type { Clock, Logger } from "@datawire/runtime";
import type { Plan } from "../core/model/plan.ts";
import type { Running } from "../core/model/running.ts";
import type { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { type RuntimeApi, RuntimeApiError } from "../haproxy/runtime-api.ts";

/** Nothing is deleted earlier, since HAProxy 2.6 has races between deleting a server and requests that just end. */
const DELETE_MS_MIN = 5_000;
const LOOK_MS = 1_000;
const DRAIN_MS_UNKNOWN = 10_000;

interface Out {
  readonly sinceMs: number;
  readonly drainMs: number;
  shut: boolean;
}

/**
 * Ends what servers without new requests still serve once their time is over, and deletes those that nothing stands
 * for any more. A server that comes back in time is simply used again.
 */
export class Reaper {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #out = new Map<string, Out>();
  #nextMs = 0;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks at the servers; `before` is the plan by which the ones that left were still in use. */
  observe(running: Running, plan: Plan, before: Plan | null): void {
    const nowMs = this.#clock.monotonicMs();
    const seen = new Set<string>();
    for (const [backend, members] of running.servers) {
      for (const [name, server] of members) {
        if (server.ready) continue;
        const id = `${backend}/${name}`;
        seen.add(id);
        const out = this.#out.get(id);
        const planned = plan.servers.get(backend)?.get(name);
        // An instance that ended its work in peace, as it seemed, may turn out to be frozen.
        if (out !== undefined && (planned === undefined || planned.drainMs >= out.drainMs)) continue;
        const known = planned ?? before?.servers.get(backend)?.get(name);
        const drainMs = known?.drainMs ?? DRAIN_MS_UNKNOWN;
        this.#out.set(id, { shut: false, sinceMs: nowMs, ...out, drainMs });
        this.#nextMs = Math.min(this.#nextMs, (out?.sinceMs ?? nowMs) + drainMs);
      }
    }
    for (const id of this.#out.keys()) if (!seen.has(id)) this.#out.delete(id);
  }

  /** How long until there may be something to do; null for never. */
  delayMs(): number | null {
    return this.#out.size === 0 ? null : Math.max(0, this.#nextMs - this.#clock.monotonicMs());
  }

  /** Does what is due. */
  async reap(running: Running, plan: Plan, haproxy: Pick<HaproxyProcess, "runtime" | "cutSessions">): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + LOOK_MS;
    for (const [id, out] of this.#out) {
      const [backend = "", name = ""] = id.split("/");
      const ageMs = nowMs - out.sinceMs;
      if (!out.shut && ageMs >= out.drainMs) {
        out.shut = true;
        await haproxy.cutSessions(id);
      }
      const retired = plan.servers.get(backend)?.has(name) !== true;
      if (!retired || !out.shut || ageMs < DELETE_MS_MIN) continue;
      if (await this.#delete(haproxy.runtime, id)) {
        running.servers.get(backend)?.delete(name);
        this.#out.delete(id);
      }
    }
  }

  /** Refused while it has connections; then another time. */
  async #delete(runtime: RuntimeApi, id: string): Promise<boolean> {
    try {
      await runtime.run([`del server ${id}`]);
      return true;
    } catch (error) {
      if (!(error instanceof RuntimeApiError) || error.code !== "refused") throw error;
      if (/No such server/i.test(error.message)) return true;
      this.#log.debug("Server not deleted yet", { server: id, reason: error.message });
      return false;
    }
  }
}
