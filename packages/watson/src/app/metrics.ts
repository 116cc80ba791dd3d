import { createRegistry } from "@datawire/runtime";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Health } from "../monitor/health.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import type { TaskOutcome } from "../checks/checker.ts";

/** What the numbers that are looked up when asked for come from. */
export interface MetricSources {
  readonly instances: () => Iterable<{ readonly instance: ServiceDefinition; readonly health: Health }>;
  readonly directories: () => Iterable<{ readonly name: string; readonly isConnected: boolean }>;
  readonly fileProblems: () => number;
}

/** What Watson counts of its work; an observer of its monitoring. */
export interface WatsonMetrics {
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  checked(outcome: TaskOutcome): void;
  healthChanged(instance: ServiceDefinition, health: Health): void;
}

const STATES: readonly Health["state"][] = ["unknown", "live", "down"];
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Makes the metrics of a Watson. Durations are by kind of check, as a series for each instance would be thousands. */
export function createMetrics(sources: MetricSources): WatsonMetrics {
  const registry = createRegistry("watson");
  const registers = [registry];
  const checks = new Counter({
    name: "datawire_watson_checks_total",
    help: "Checks made, by kind and result.",
    labelNames: ["kind", "result"],
    registers,
  });
  const duration = new Histogram({
    name: "datawire_watson_check_duration_seconds",
    help: "How long checks took.",
    labelNames: ["kind"],
    buckets: SECONDS,
    registers,
  });
  const lateness = new Histogram({
    name: "datawire_watson_check_lateness_seconds",
    help: "How long after their moment checks started.",
    buckets: SECONDS,
    registers,
  });
  const changes = new Counter({
    name: "datawire_watson_instance_changes_total",
    help: "Changes of state, by instance and new state.",
    labelNames: ["service", "instance", "state"],
    registers,
  });
  const live = new Gauge({
    name: "datawire_watson_instance_live",
    help: "1 for an instance that is live, 0 for one that is not.",
    labelNames: ["service", "instance"],
    registers,
  });
  const connected = new Gauge({
    name: "datawire_watson_directory_connected",
    help: "1 while there is a link to the directory.",
    labelNames: ["directory"],
    registers,
  });
  const fileProblems = new Gauge({
    name: "datawire_watson_file_problems",
    help: "Problems in the service files; the log has each.",
    registers,
  });
  /** The instances that `changes` has series of. */
  const changed = new Map<string, ServiceDefinition>();

  return {
    registry: { contentType: registry.contentType, metrics: () => collect() },
    checked({ kind, probe, timing }) {
      checks.inc({ kind, result: probe.ok ? "pass" : "fail" });
      if (timing === null) return;
      duration.observe({ kind }, timing.tookMs / 1_000);
      lateness.observe(timing.lateMs / 1_000);
    },
    healthChanged(instance, { state }) {
      changed.set(instance.key, instance);
      changes.inc({ service: instance.service, instance: instance.name, state });
    },
  };

  /** What is a state and no count is looked up when it is asked for. */
  async function collect(): Promise<string> {
    const gone = new Map(changed);
    live.reset();
    for (const { instance, health } of sources.instances()) {
      gone.delete(instance.key);
      live.set({ service: instance.service, instance: instance.name }, health.state === "live" ? 1 : 0);
    }
    connected.reset();
    for (const { name, isConnected } of sources.directories()) connected.set({ directory: name }, isConnected ? 1 : 0);
    fileProblems.set(sources.fileProblems());
    const text = await registry.metrics();
    for (const [key, { service, name }] of gone) {
      // Otherwise, where instances get a new name with each start, the number of series would grow without end.
      for (const state of STATES) changes.remove({ service, instance: name, state });
      changed.delete(key);
    }
    return text;
  }
}
