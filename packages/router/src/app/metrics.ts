import { createRegistry } from "@datawire/runtime";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Broker } from "../engine/broker.ts";
import { COUNTED } from "../engine/broker-deps.ts";
import { LIMITS, type Refusals } from "../config/refusals.ts";
import type { Upstreams } from "../upstream/upstreams.ts";

/** What the numbers come from; all are looked up when they are asked for. */
export interface MetricSources {
  readonly broker: Pick<Broker, "kept" | "direct" | "retired" | "trouble"> & {
    readonly log: Pick<Broker["log"], "usage" | "backlogBytes">;
    readonly intake: Pick<Broker["intake"], "heldBytes">;
  };
  readonly upstreams: Pick<Upstreams, "addresses" | "retired">;
  readonly connections: () => number;
  readonly refusals: Pick<Refusals, "of">;
}

/** Makes the metrics of a router. */
export function createMetrics({
  broker,
  upstreams,
  connections,
  refusals,
}: MetricSources): Pick<Registry, "metrics" | "contentType" | "getMetricsAsJSON"> {
  const registry = createRegistry("router");
  const registers = [registry];
  const messages = new Counter({
    name: "datawire_router_messages_total",
    help: "Messages since the start, by what became of them: in, out, dead, expired, dropped, duplicates.",
    labelNames: ["event"],
    registers,
  });
  const refused = new Counter({
    name: "datawire_router_refusals_total",
    help: `How often a bound of \`limits\` was reached since the start: ${LIMITS.join(", ")}.`,
    labelNames: ["limit"],
    registers,
  });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `datawire_router_${name}`, help, registers });
  const queued = gauge("queued_messages", "Messages that are kept, of all addresses.");
  const unsettled = gauge("unsettled_messages", "Messages that consumers have and have not settled.");
  const addresses = gauge("addresses", "Addresses that there are.");
  const connected = gauge("connections", "Connections that there are.");
  const logBytes = gauge("log_bytes", "What the log takes on disk.");
  const backlog = gauge("log_backlog_bytes", "What waits to be written to the log.");
  const held = gauge("held_bytes", "What senders sent that waits in memory until the disk can take it.");
  const writable = new Gauge({
    name: "datawire_router_log_writable",
    help: "1 while messages can be accepted, 0 while the disk takes none.",
    registers,
    aggregator: "min",
  });
  return {
    contentType: registry.contentType,
    metrics: () => {
      count();
      return registry.metrics();
    },
    getMetricsAsJSON: () => {
      count();
      return registry.getMetricsAsJSON();
    },
  };

  function count(): void {
    const totals = new Map<string, number>(COUNTED.map((event) => [event, broker.retired[event]]));
    let [queuedNow, unsettledNow, known] = [0, 0, 0];
    for (const { kept, counters } of broker.kept) {
      known++;
      queuedNow += kept.messages;
      unsettledNow += kept.unsettled;
      for (const event of COUNTED) totals.set(event, (totals.get(event) ?? 0) + counters[event]);
    }
    for (const { counters, unsettled: held } of broker.direct) {
      known++;
      unsettledNow += held;
      for (const event of COUNTED) totals.set(event, (totals.get(event) ?? 0) + counters[event]);
    }
    for (const { counters, unsettled: held } of upstreams.addresses) {
      known++;
      unsettledNow += held;
      for (const event of ["in", "out"] as const) totals.set(event, (totals.get(event) ?? 0) + counters[event]);
    }
    for (const event of ["in", "out"] as const) totals.set(event, (totals.get(event) ?? 0) + upstreams.retired[event]);
    messages.reset();
    for (const [event, total] of totals) messages.inc({ event }, total);
    refused.reset();
    for (const limit of LIMITS) refused.inc({ limit }, refusals.of(limit));
    queued.set(queuedNow);
    unsettled.set(unsettledNow);
    addresses.set(known);
    connected.set(connections());
    logBytes.set(broker.log.usage.bytes);
    backlog.set(broker.log.backlogBytes);
    held.set(broker.intake.heldBytes);
    writable.set(broker.trouble === null ? 1 : 0);
  }
}
