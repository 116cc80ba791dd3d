import type { Answer } from "@datawire/api";
import { type Counted, trafficBy } from "../../core/traffic.ts";

/** A Sherlock or a library in one row. */
export interface CallerRow {
  readonly name: string;
  readonly kind: string;
  readonly version: string;
  readonly revision: number | null;
  /** Revisions behind the directory; null where it does not say. */
  readonly lag: number | null;
  /** Requests a second. */
  readonly rate: number | null;
  /** What it calls, the most first. */
  readonly services: readonly string[];
}

/** Who is connected, with what they call; several of one name are one row each. */
export function callerRows(
  { callers, revision }: Answer<"listCallers">,
  counters: readonly Counted[],
  seconds: number,
): CallerRow[] {
  const rates = trafficBy(counters, seconds, ({ caller }) => caller);
  const pairs = Map.groupBy(counters, ({ caller }) => caller);
  return callers.map((each) => ({
    ...each,
    lag: each.revision === null ? null : Math.max(0, revision - each.revision),
    rate: rates.get(each.name)?.rate ?? null,
    services: calledBy(pairs.get(each.name) ?? []),
  }));
}

function calledBy(counters: readonly Counted[]): string[] {
  const sums = new Map<string, number>();
  for (const { service, requests } of counters) sums.set(service, (sums.get(service) ?? 0) + requests);
  return [...sums].toSorted((a, b) => b[1] - a[1]).map(([service]) => service);
}
