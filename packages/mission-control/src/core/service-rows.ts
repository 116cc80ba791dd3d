import type { ServiceListing } from "@datawire/api";
import { type Traffic, trafficOf } from "./traffic.ts";

/** A service in one row. */
export interface ServiceRow extends Traffic {
  readonly service: string;
  readonly status: ServiceListing["status"];
  readonly reason: string | null;
  readonly primary: string | null;
  /** How many instances are live. */
  readonly live: number;
  readonly instances: number;
  /** How many wait for a route or a promotion. */
  readonly held: number;
}

/** Services in rows, with the traffic that was counted for each. */
export function serviceRows(services: readonly ServiceListing[]): ServiceRow[] {
  return services.map(({ service, status, reason, primary, counts, traffic }) => ({
    service,
    status,
    reason,
    primary,
    live: counts?.live ?? 0,
    instances: counts?.instances ?? 0,
    held: counts?.held ?? 0,
    ...trafficOf(traffic),
  }));
}

/** The services that need attention most: those that are down, then degraded, then by their errors and latency. */
export function worstServices(rows: readonly ServiceRow[], count: number): ServiceRow[] {
  const badness = ({ status }: ServiceRow): number => (status === "down" ? 2 : status === "degraded" ? 1 : 0);
  return rows
    .toSorted((a, b) => badness(b) - badness(a) || (b.errors ?? 0) - (a.errors ?? 0) || (b.p99 ?? 0) - (a.p99 ?? 0))
    .slice(0, count);
}
