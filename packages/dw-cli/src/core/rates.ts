import type { Answer } from "@datawire/api";
import { bucketsOf, quantileOf, toHistogram } from "@datawire/protocol";

/** One line of what Sherlocks have counted, as `GET /v1/counters` gives it. */
export type TrafficLine = Answer<"counters">["counters"][number];

/** How some of the traffic goes. */
export interface Rates {
  readonly requestsPerSecond: number;
  /** Answers of the class 5xx, and requests that got none. */
  readonly errorsPerSecond: number;
  /** Of the requests; null without any. */
  readonly errorPercent: number | null;
  /** Of the last 1,024 requests to each instance, weighted by how many it got; null without any. */
  readonly averageMs: number | null;
  /** The longest response since the last reload of HAProxy, which resets that number; null without requests. */
  readonly maxMs: number | null;
  /**
   * How long the head of the response took at the most for so many percent of the requests; null where no Sherlock
   * looks, or without any. In whole milliseconds, rounded down.
   */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** Sums lines up to rates over the seconds that they are of. */
export function ratesOf(lines: readonly TrafficLine[], seconds: number): Rates {
  let [requests, errors, latencySumMs, timed, maxMs] = [0, 0, 0, 0, 0];
  const latencies = toHistogram(lines.flatMap((line) => [...bucketsOf(line.latencies ?? [])]));
  for (const line of lines) {
    requests += line.requests;
    errors += line.failures + line.responses[4];
    if (line.latencyMs === null) continue;
    timed += line.requests;
    latencySumMs += line.latencyMs.average * line.requests;
    maxMs = Math.max(maxMs, line.latencyMs.max);
  }
  return {
    requestsPerSecond: requests / seconds,
    errorsPerSecond: errors / seconds,
    // A request that is tried again may fail more than once.
    errorPercent: requests === 0 ? null : Math.min(100, (errors / requests) * 100),
    averageMs: timed === 0 ? null : latencySumMs / timed,
    maxMs: timed === 0 ? null : maxMs,
    p50Ms: quantileOf(latencies, 0.5),
    p90Ms: quantileOf(latencies, 0.9),
    p99Ms: quantileOf(latencies, 0.99),
  };
}
