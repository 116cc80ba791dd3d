import type { Counter, Histogram } from "@datawire/protocol";
import type { PlannedServer } from "../model/plan.ts";
import { keepOnly, type ServerCounts } from "./statistics.ts";

const failuresOf = ({ unreached, refused }: ServerCounts): number => unreached + refused;

/** Which instance a server stands for. */
export type Attribution = (backend: string, server: string) => Pick<PlannedServer, "instances"> | null;

const NO_LATENCIES: ReadonlyMap<string, Histogram> = new Map();

/** Turns totals, which begin at zero with each worker, into what was added since the last look. */
export class CounterDeltas {
  readonly #last = new Map<string, ServerCounts>();

  /**
   * @param latencies of requests since the last call, by `backend/server`, where they are looked at.
   * @returns one line for each instance with requests since the last call.
   */
  take(
    counts: readonly ServerCounts[],
    attribute: Attribution,
    latencies: ReadonlyMap<string, Histogram> = NO_LATENCIES,
  ): Counter[] {
    const lines: Counter[] = [];
    for (const now of counts) {
      const { id } = now;
      const last = this.#last.get(id);
      if (last !== now) this.#last.set(id, now);
      // A total that went down belongs to a new worker, which began at zero.
      const before = last !== undefined && last.requests <= now.requests ? last : null;
      const requests = now.requests - (before?.requests ?? 0);
      const failures = Math.max(0, failuresOf(now) - (before === null ? 0 : failuresOf(before)));
      // A request is counted when it comes, and its latency when it is answered, which may be in the next period.
      const answered = latencies.get(id);
      if (requests === 0 && failures === 0 && answered === undefined) continue;
      const instance = attribute(now.backend, now.server)?.instances[0];
      const [a, b, c, d, e] = now.responses.map((total, i) => Math.max(0, total - (before?.responses[i] ?? 0)));
      lines.push({
        service: now.backend.slice(0, now.backend.indexOf(":")),
        version: instance?.version ?? null,
        instance: instance?.name ?? null,
        requests,
        responses: [a ?? 0, b ?? 0, c ?? 0, d ?? 0, e ?? 0],
        failures,
        latencyMs: { average: now.averageMs, max: now.maxMs },
        ...(answered === undefined ? {} : { latencies: [...answered] }),
      });
    }
    keepOnly(this.#last, counts);
    return lines;
  }
}
