import { addHistograms, type Histogram, quantileOf } from "@datawire/protocol";
import type { CounterLine } from "./counter-steps.ts";
import { type Counters, COUNTERS_KEPT_MS, type CounterSums } from "./counters.ts";

/** How the requests to something went in the last seconds. */
export interface Traffic {
  /** Requests a second. */
  readonly rate: number;
  /** Of the requests, 0 to 100; null without any. */
  readonly errorPercent: number | null;
  /** In milliseconds; null where no Sherlock looks. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** The traffic of a service and of its instances, by name. */
export interface ServiceTraffic {
  readonly whole: Traffic;
  readonly instances: ReadonlyMap<string, Traffic>;
}

/** What some lines come to. */
export interface Sum {
  readonly requests: number;
  /** Answers of the class 5xx, and failed connections. */
  readonly errors: number;
  readonly latencies: Histogram;
}

/** Two reports of every Sherlock. */
const WINDOW_MS = 10_000;

/** Sums lines up by a key. */
export function sumsBy<Key>(lines: Iterable<CounterLine>, keyOf: (line: CounterLine) => Key): Map<Key, Sum> {
  const sums = new Map<Key, Sum>();
  for (const line of lines) {
    const key = keyOf(line);
    const before = sums.get(key);
    sums.set(key, {
      requests: line.requests + (before?.requests ?? 0),
      errors: line.failures + line.responses[4] + (before?.errors ?? 0),
      latencies: before === undefined ? line.latencies : addHistograms(before.latencies, line.latencies),
    });
  }
  return sums;
}

/** The traffic of services as the counters of the last seconds have it, read once for all who ask. */
export class RecentTraffic {
  readonly #counters: Counters;
  #read: { readonly untilMs: number; readonly services: ReadonlyMap<string, ServiceTraffic> } | null = null;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Differs when the traffic may. */
  version(nowMs: number): number {
    return this.#at(nowMs).untilMs;
  }

  /** Null for a service of which nothing was counted. */
  of(service: string, nowMs: number): ServiceTraffic | null {
    return this.#at(nowMs).services.get(service) ?? null;
  }

  #at(nowMs: number) {
    const { fromMs, untilMs } = this.#counters.window(WINDOW_MS, nowMs);
    // Steps that are over gain nothing any more.
    if (this.#read?.untilMs === untilMs) return this.#read;
    return (this.#read = { untilMs, services: servicesIn(this.#counters.last(untilMs - fromMs, nowMs)) });
  }
}

function servicesIn({ fromMs, untilMs, lines }: CounterSums): Map<string, ServiceTraffic> {
  const seconds = (untilMs - fromMs) / 1_000;
  const wholes = sumsBy(lines, ({ service }) => service);
  const instances = new Map<string, Map<string, Traffic>>();
  for (const [key, sum] of sumsBy(lines, ({ service, instance }) =>
    instance === null ? service : `${service}@${instance}`,
  )) {
    const at = key.indexOf("@");
    if (at < 0) continue;
    const service = key.slice(0, at);
    const own = instances.get(service) ?? new Map<string, Traffic>();
    instances.set(service, own.set(key.slice(at + 1), trafficOf(sum, seconds)));
  }
  return new Map(
    [...wholes].map(([service, sum]) => [
      service,
      { whole: trafficOf(sum, seconds), instances: instances.get(service) ?? new Map() },
    ]),
  );
}

function trafficOf({ requests, errors, latencies }: Sum, seconds: number): Traffic {
  return {
    rate: requests / seconds,
    // A request that is tried again may fail more than once.
    errorPercent: requests === 0 ? null : Math.min(100, (errors / requests) * 100),
    p50: quantileOf(latencies, 0.5),
    p99: quantileOf(latencies, 0.99),
  };
}

/** One step of a series; null where nothing was counted. */
export interface Point {
  readonly atMs: number;
  readonly sum: Sum | null;
}

/** The sums of a service over time, by a key of its lines. */
export function seriesOf(
  counters: Counters,
  { service, spanMs, nowMs }: { readonly service: string; readonly spanMs: number; readonly nowMs: number },
  keyOf: (line: CounterLine) => string | null,
): { readonly stepMs: number; readonly series: ReadonlyMap<string | null, readonly Point[]> } {
  const { stepMs, steps } = counters.steps(Math.min(spanMs, COUNTERS_KEPT_MS), nowMs);
  const sums = steps.map(({ atMs, lines }) => ({
    atMs,
    sums: sumsBy(
      [...lines].filter((line) => line.service === service),
      keyOf,
    ),
  }));
  const keys = new Set(sums.flatMap((step) => [...step.sums.keys()]));
  return {
    stepMs,
    series: new Map(
      [...keys].map((key) => [key, sums.map((step) => ({ atMs: step.atMs, sum: step.sums.get(key) ?? null }))]),
    ),
  };
}
