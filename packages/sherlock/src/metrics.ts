import type { Counter as CounterLine } from "@datawire/protocol";
import { createRegistry } from "@datawire/runtime";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { LatencyMetric } from "./latency-metric.ts";

/** What Sherlock counts of itself and of the traffic. */
export interface Metrics {
  readonly registry: Registry;
  reloaded(reason: string, durationMs: number): void;
  reloadFailed(): void;
  died(): void;
  commands(count: number): void;
  /** From a change in the directory, by its clock, to HAProxy. */
  followed(durationMs: number): void;
  traffic(lines: readonly CounterLine[]): void;
}

/** What the numbers that are states and no counts come from. */
export interface MetricSources {
  revision(): number;
  tableAgeMs(): number;
  tableDivergences(): number;
  oldWorkers(): Promise<number>;
  services(): number;
}

const RESPONSE_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

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
  const followed = new Histogram({
    name: "datawire_sherlock_follow_seconds",
    help: "From a change in the directory to HAProxy, as far as the two clocks agree.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const traffic = (name: string, help: string, more: readonly string[] = []) =>
    new Counter({ name, help, labelNames: ["service", "version", "instance", ...more], registers });
  const requests = traffic("datawire_requests_total", "Requests to an instance.");
  const responses = traffic("datawire_responses_total", "Responses of an instance, by class.", ["class"]);
  const failures = traffic("datawire_failures_total", "Connections to an instance, and responses of it, that failed.");
  const latency = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["service", "version", "instance"], registers });
  const average = latency("datawire_latency_average_seconds", "Of the last 1,024 requests to an instance.");
  const max = latency(
    "datawire_latency_max_seconds",
    "Of the requests to an instance since HAProxy was last reloaded.",
  );
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
    followed: (durationMs) => followed.observe(durationMs / 1_000),
    traffic(lines) {
      for (const line of lines) {
        const labels = { service: line.service, version: line.version ?? "", instance: line.instance ?? "default" };
        requests.inc(labels, line.requests);
        failures.inc(labels, line.failures);
        RESPONSE_CLASSES.forEach((name, i) => {
          const count = line.responses[i] ?? 0;
          if (count > 0) responses.inc({ ...labels, class: name }, count);
        });
        if (line.latencies !== undefined) {
          latencies.add({ service: labels.service, version: labels.version }, line.latencies);
        }
        if (line.latencyMs === null) continue;
        average.set(labels, line.latencyMs.average / 1_000);
        max.set(labels, line.latencyMs.max / 1_000);
      }
    },
  };
}
