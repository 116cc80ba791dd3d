import { type CountedCheck, type Plan, requestsNeeded } from "@datawire/rollout";
import type { CounterLine } from "../stats/counter-steps.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";

/** What a check needs before it passes. */
export interface Need {
  readonly name: string;
  readonly requests: number | null;
  readonly seconds: readonly (number | null)[];
}

/** How many requests each check needs, and how long that takes in each step at a rate of requests a second. */
export function needsOf({ checks, steps, confidence, minimum }: Plan, perSecond: number): Need[] {
  return checks.flatMap((check) => {
    if (check.kind === "query") return [];
    const needed = requestsNeeded(check, confidence);
    const requests = needed === null ? null : Math.max(needed, minimum);
    const seconds = steps.map(({ share }) =>
      requests === null || perSecond === 0 ? null : Math.ceil(requests / ((perSecond * share) / 10_000)),
    );
    return [{ name: check.name, requests, seconds }];
  });
}

/** The rate of the requests of which a rollout takes its shares. */
export function rateOf(
  { service, caller }: Pick<RolloutRecord, "service" | "caller">,
  lines: readonly CounterLine[],
  spanMs: number,
): number {
  const own = lines.filter((line) => line.service === service && (caller === "*" || line.caller === caller));
  return own.reduce((sum, { requests }) => sum + requests, 0) / (spanMs / 1_000);
}

/** Says of which checks nothing will be known, as no Sherlock tells how long requests take. */
export function withoutPercentiles({ checks }: Plan, lines: readonly CounterLine[]): string[] {
  const latency = checks.filter((check): check is CountedCheck => check.kind === "latency");
  if (latency.length === 0 || lines.some(({ latencies }) => latencies.length > 0)) return [];
  const names = latency.map(({ name }) => name).join(", ");
  return [
    `no Sherlock tells percentiles by now, and without them there is no data for ${names}: see percentiles in sherlock.yaml`,
  ];
}
