import type { ServiceListing } from "@datawire/api";
import { type Counted, NO_TRAFFIC, type Traffic, trafficBy } from "./traffic.ts";

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

/** Services with the traffic that was counted for each. */
export function serviceRows(
  services: readonly ServiceListing[],
  counters: readonly Counted[],
  seconds: number,
): ServiceRow[] {
  const traffic = trafficBy(counters, seconds, ({ service }) => service);
  return services.map(({ service, status, reason, primary, instances }) => ({
    service,
    status,
    reason,
    primary,
    live: instances.filter(({ state }) => state === "live").length,
    instances: instances.length,
    held: instances.filter(({ role }) => role === "held").length,
    ...(traffic.get(service) ?? NO_TRAFFIC),
  }));
}

/** The services that need attention most: those that are down, then degraded, then by their errors and latency. */
export function worstServices(rows: readonly ServiceRow[], count: number): ServiceRow[] {
  const badness = ({ status }: ServiceRow): number => (status === "down" ? 2 : status === "degraded" ? 1 : 0);
  return rows
    .toSorted((a, b) => badness(b) - badness(a) || (b.errors ?? 0) - (a.errors ?? 0) || (b.p99 ?? 0) - (a.p99 ?? 0))
    .slice(0, count);
}
