import { addHistograms, type Histogram, quantileOf } from "@datawire/protocol";

/** What Sherlocks counted for one caller and one instance of a service in a span of time. */
export interface Counted {
  readonly caller: string;
  readonly service: string;
  readonly version: string | null;
  readonly instance: string | null;
  readonly requests: number;
  readonly responses: readonly number[];
  readonly failures: number;
  readonly latencies?: readonly number[] | undefined;
}

/** What came of the requests of a service, an instance or a caller; null for what nobody counted. */
export interface Traffic {
  /** Requests a second. */
  readonly rate: number | null;
  /** Of the requests, 0 to 1; null without any. */
  readonly errors: number | null;
  /** In milliseconds. */
  readonly p50: number | null;
  /** In milliseconds. */
  readonly p99: number | null;
}

/** The traffic of what nobody counted. */
export const NO_TRAFFIC: Traffic = { rate: null, errors: null, p50: null, p99: null };

/** Sums up counters by a key of each; a key of null leaves a counter out. */
export function trafficBy(
  counters: readonly Counted[],
  seconds: number,
  keyOf: (counted: Counted) => string | null,
): Map<string, Traffic> {
  const sums = new Map<string, Sum>();
  for (const counted of counters) {
    const key = keyOf(counted);
    if (key === null) continue;
    const sum = sums.get(key) ?? { requests: 0, errors: 0, latencies: [] };
    sums.set(key, {
      requests: sum.requests + counted.requests,
      // Errors are answers of 5xx and connections that failed.
      errors: sum.errors + (counted.responses[4] ?? 0) + counted.failures,
      latencies: addHistograms(sum.latencies, counted.latencies ?? []),
    });
  }
  return new Map([...sums].map(([key, sum]) => [key, trafficOf(sum, seconds)]));
}

interface Sum {
  readonly requests: number;
  readonly errors: number;
  readonly latencies: Histogram;
}

function trafficOf({ requests, errors, latencies }: Sum, seconds: number): Traffic {
  return {
    rate: seconds > 0 ? requests / seconds : null,
    errors: requests + errors > 0 ? Math.min(1, errors / Math.max(requests, errors)) : null,
    p50: quantileOf(latencies, 0.5),
    p99: quantileOf(latencies, 0.99),
  };
}
