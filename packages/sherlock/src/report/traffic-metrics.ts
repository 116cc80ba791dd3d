import type { Counter as CounterLine } from "@datawire/protocol";
import { Counter, Gauge, type Registry } from "prom-client";

const RESPONSE_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
const LABELS = ["service", "version", "instance"] as const;

type Labels = Readonly<Record<(typeof LABELS)[number], string>>;

/** How long the counts of an instance without requests are shown after it has gone: many scrapes, to see the last ones. */
const KEPT_MS = 600_000;

/** What HAProxy counted for each instance, as counters of Prometheus. */
export class TrafficMetrics {
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #failures: Counter;
  readonly #average: Gauge;
  readonly #max: Gauge;
  /** By the text of the labels: when the instance was last there, or had requests. */
  readonly #shown = new Map<string, { readonly labels: Labels; seenMs: number }>();

  constructor(register: Registry) {
    const registers = [register];
    const counter = (name: string, help: string, more: readonly string[] = []): Counter =>
      new Counter({ name, help, labelNames: [...LABELS, ...more], registers });
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, labelNames: LABELS, registers });
    this.#requests = counter("datawire_requests_total", "Requests to an instance.");
    this.#responses = counter("datawire_responses_total", "Responses of an instance, by class.", ["class"]);
    this.#failures = counter(
      "datawire_failures_total",
      "Connections to an instance, and responses of it, that failed.",
    );
    this.#average = gauge("datawire_latency_average_seconds", "Of the last 1,024 requests to an instance.");
    this.#max = gauge(
      "datawire_latency_max_seconds",
      "Of the requests to an instance since HAProxy was last reloaded.",
    );
  }

  /** Adds what came since the last call. @param nowMs on any clock that only goes forward. */
  add(lines: readonly CounterLine[], nowMs: number): void {
    for (const line of lines) {
      const labels = labelsOf(line);
      this.#shown.set(keyOf(labels), { labels, seenMs: nowMs });
      this.#requests.inc(labels, line.requests);
      this.#failures.inc(labels, line.failures);
      RESPONSE_CLASSES.forEach((name, i) => {
        const count = line.responses[i] ?? 0;
        if (count > 0) this.#responses.inc({ ...labels, class: name }, count);
      });
      if (line.latencyMs === null) continue;
      this.#average.set(labels, line.latencyMs.average / 1_000);
      this.#max.set(labels, line.latencyMs.max / 1_000);
    }
  }

  /**
   * Forgets the counts of instances that have been gone for ten minutes. Where instances get a new name with each
   * start, the series would grow without end.
   * @param isPresent whether an instance, by service and name, is in the table.
   */
  forgetGone(isPresent: (service: string, instance: string) => boolean, nowMs: number): void {
    for (const [key, shown] of this.#shown) {
      const { labels } = shown;
      if (isPresent(labels.service, labels.instance)) shown.seenMs = nowMs;
      if (nowMs - shown.seenMs < KEPT_MS) continue;
      this.#shown.delete(key);
      for (const metric of [this.#requests, this.#failures, this.#average, this.#max]) metric.remove(labels);
      for (const name of RESPONSE_CLASSES) this.#responses.remove({ ...labels, class: name });
    }
  }
}

function labelsOf({ service, version, instance }: CounterLine): Labels {
  return { service, version: version ?? "", instance: instance ?? "default" };
}

function keyOf({ service, version, instance }: Labels): string {
  return JSON.stringify([service, version, instance]);
}
