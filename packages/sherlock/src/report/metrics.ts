import type { Counter as CounterLine } from "@datawire/protocol";
import { createRegistry } from "@datawire/runtime";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { LatencyMetric } from "./latency-metric.ts";
import { TrafficMetrics } from "./traffic-metrics.ts";

/** What Sherlock counts of itself and of the traffic. */
export interface Metrics {
  readonly registry: Registry;
  reloaded(reason: string, durationMs: number): void;
  reloadFailed(): void;
  died(): void;
  commands(count: number): void;
  /** Spans of requests that the directory has taken. */
  spansSent(count: number): void;
  /** Spans that were lost: in the pipe from HAProxy, in the queue, or as the directory refused them. */
  spansDropped(reason: "pipe" | "queue" | "refused", count: number): void;
  /** From a change in the directory, by its clock, to HAProxy. */
  followed(durationMs: number): void;
  /** What came since the last call, at `nowMs` of a clock that only goes forward. */
  traffic(lines: readonly CounterLine[], nowMs: number): void;
}

/** What the numbers that are states and no counts come from. */
export interface MetricSources {
  revision(): number;
  tableAgeMs(): number;
  tableDivergences(): number;
  oldWorkers(): Promise<number>;
  services(): number;
  /** Whether an instance is in the table. */
  isPresent(service: string, instance: string): boolean;
}

/** Makes the metrics of a Sherlock; those of `sources` are looked up when they are asked for. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = createRegistry("sherlock");
  const registers = [registry];
  const reloads = new Counter({
    name: "datawire_sherlock_reloads_total",
    help: "Reloads of HAProxy, by what they were for.",
    labelNames: ["reason"],
    registers,
  });
  const reloadSeconds = new Histogram({
    name: "datawire_sherlock_reload_seconds",
    help: "How long a reload took, validation included.",
    buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers,
  });
  const failed = new Counter({
    name: "datawire_sherlock_reloads_failed_total",
    help: "Configurations that HAProxy refused, and reloads that did not come up.",
    registers,
  });
  const deaths = new Counter({
    name: "datawire_sherlock_haproxy_deaths_total",
    help: "How often HAProxy ended without being told to, and was started again.",
    registers,
  });
  const commands = new Counter({
    name: "datawire_sherlock_commands_total",
    help: "Commands on HAProxy's runtime socket.",
    registers,
  });
  const spans = new Counter({
    name: "datawire_sherlock_spans_total",
    help: "Spans of requests that the directory has taken.",
    registers,
  });
  const spansDropped = new Counter({
    name: "datawire_sherlock_spans_dropped_total",
    help: "Spans that were lost, by where: in the pipe from HAProxy, in the queue, or refused by the directory.",
    labelNames: ["reason"],
    registers,
  });
  const followed = new Histogram({
    name: "datawire_sherlock_follow_seconds",
    help: "From a change in the directory to HAProxy, as far as the two clocks agree.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const traffic = new TrafficMetrics(registry);
  const latencies = new LatencyMetric(registry);
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  gauge("datawire_sherlock_table_revision", "Revision of the table that HAProxy follows.", () => sources.revision());
  gauge(
    "datawire_sherlock_table_age_seconds",
    "Since when the table may be out of date; 0 while it is followed.",
    () => sources.tableAgeMs() / 1_000,
  );
  gauge(
    "datawire_sherlock_table_divergences",
    "How often since the start the table turned out to be another one than the directory's, and was asked for again.",
    () => sources.tableDivergences(),
  );
  gauge("datawire_sherlock_old_workers", "Workers that still end requests from before a reload.", () =>
    sources.oldWorkers(),
  );
  gauge("datawire_sherlock_services", "Services in the table.", () => sources.services());

  return {
    registry,
    reloaded(reason, durationMs) {
      reloads.inc({ reason });
      reloadSeconds.observe(durationMs / 1_000);
    },
    reloadFailed: () => failed.inc(),
    died: () => deaths.inc(),
    commands: (count) => commands.inc(count),
    spansSent: (count) => spans.inc(count),
    spansDropped: (reason, count) => spansDropped.inc({ reason }, count),
    followed: (durationMs) => followed.observe(durationMs / 1_000),
    traffic(lines, nowMs) {
      traffic.add(lines, nowMs);
      traffic.forgetGone((service, instance) => sources.isPresent(service, instance), nowMs);
      for (const { service, version, latencies: more } of lines) {
        if (more !== undefined) latencies.add({ service, version: version ?? "" }, more);
      }
    },
  };
}
