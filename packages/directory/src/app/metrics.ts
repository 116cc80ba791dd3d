import { type ErrorCode, INSTANCE_STATES, CLIENT_KINDS } from "@datawire/protocol";
import { createRegistry } from "@datawire/runtime";
import { LOSS_REASONS } from "@datawire/telemetry";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Position } from "../feed/delta-log.ts";
import type { State } from "../registry/state.ts";
import type { SessionRegistry } from "../link/clients/session-registry.ts";
import type { Publisher } from "../feed/publisher.ts";
import type { MdkCounts } from "../mdk/session.ts";

/** What a directory measures. */
export interface Metrics {
  readonly registry: Registry;
  readonly refused: (code: ErrorCode) => void;
  readonly foreign: () => void;
  readonly crowded: () => void;
  /** Begins to measure how long the store takes; the function returned ends that. */
  readonly storing: () => () => void;
  readonly published: (delayMs: number) => void;
  readonly recorded: () => void;
  /** What clients of the original MDK do. */
  readonly originals: MdkCounts;
  /** What is read from the directory itself whenever somebody asks. */
  observe(tenants: () => readonly Observed[]): void;
  /** Spans and events that were lost, by reason. */
  observeLosses(lost: () => Readonly<Record<string, number>>): void;
}

/** What is measured of each tenant. Sums tell of all; the revision is that of the table without a tenant, the first. */
export interface Observed {
  readonly state: State;
  readonly links: SessionRegistry;
  readonly publisher: Publisher;
}

/** @param registry where they are shown; default: with those of the process. */
export function createMetrics(registry: Registry = createRegistry("directory")): Metrics {
  const registers = [registry];
  const refusals = new Counter({
    name: "datawire_directory_refusals_total",
    help: "Requests and messages that were refused, by code.",
    labelNames: ["code"],
    registers,
  });
  const foreign = new Counter({
    name: "datawire_directory_foreign_requests_total",
    help: "Requests refused for a foreign Origin or Host.",
    registers,
  });
  const crowded = new Counter({
    name: "datawire_directory_crowded_connections_total",
    help: "Connections refused because their address had too many open.",
    registers,
  });
  const store = new Histogram({
    name: "datawire_directory_store_seconds",
    help: "From writing a change to its being durable.",
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const publishing = new Histogram({
    name: "datawire_directory_publish_seconds",
    help: "From a change to its being handed to every subscriber that keeps up.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const changes = new Counter({
    name: "datawire_directory_changes_total",
    help: "Changes of routes, services and instances by operators and by the directory itself.",
    registers,
  });
  const connected = new Gauge({
    name: "datawire_directory_mdk_connections",
    help: "Clients of the original MDK that are connected.",
    registers,
  });
  const dropped = new Counter({
    name: "datawire_directory_mdk_dropped_total",
    help: "Messages of clients of the original MDK that could not be read, or were of nodes without an id, service or address.",
    registers,
  });
  const interactions = new Counter({
    name: "datawire_directory_mdk_interactions_total",
    help: "What clients of the original MDK say of how calls went, by result.",
    labelNames: ["result"],
    registers,
  });
  return {
    registry,
    originals: {
      connected: (count) => connected.set(count),
      dropped: () => dropped.inc(),
      interaction: (success) => interactions.inc({ result: success ? "success" : "failure" }),
    },
    refused: (code) => refusals.inc({ code }),
    foreign: () => foreign.inc(),
    crowded: () => crowded.inc(),
    storing: () => store.startTimer(),
    recorded: () => changes.inc(),
    published: (delayMs) => publishing.observe(delayMs / 1_000),
    observe: (tenants) => observe(registry, tenants),
    observeLosses: (lost) => observeLosses(registry, lost),
  };
}

function observe(registry: Registry, tenants: () => readonly Observed[]): void {
  const sum = (read: (tenant: Observed) => number): number =>
    tenants().reduce((total, tenant) => total + read(tenant), 0);
  const largest = (read: (tenant: Observed) => number): number => Math.max(0, ...tenants().map(read));
  const add = (gauge: Gauge): void => registry.registerMetric(gauge);
  add(
    new Gauge({
      name: "datawire_directory_connections",
      help: "Clients of the link that are connected, by kind.",
      labelNames: ["kind"],
      registers: [],
      collect() {
        const clients = tenants().flatMap(({ links }) => links.clients());
        for (const kind of CLIENT_KINDS) this.set({ kind }, clients.filter((client) => client.kind === kind).length);
      },
    }),
  );
  add(
    new Gauge({
      name: "datawire_directory_instances",
      help: "Registered instances, by state.",
      labelNames: ["state"],
      registers: [],
      collect() {
        const counts = new Map<string, number>();
        for (const { state } of tenants()) {
          for (const instance of state.table.instances())
            counts.set(instance.state, (counts.get(instance.state) ?? 0) + 1);
        }
        for (const name of INSTANCE_STATES) this.set({ state: name }, counts.get(name) ?? 0);
      },
    }),
  );
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ["revision", "The revision of the table.", () => tenants()[0]?.publisher.log.revision ?? 0],
    ["services", "Services in the table.", () => sum(({ state }) => state.table.size.services)],
    [
      "route_tables",
      "Route tables, one for each caller and service.",
      () => sum(({ state }) => state.table.size.tables),
    ],
    ["subscribers", "Clients that follow the table.", () => sum(({ publisher }) => publisher.subscribers)],
    [
      "guard_held_instances",
      "Instances whose leases the guard holds.",
      () => sum(({ state }) => state.registry.guard.held?.held ?? 0),
    ],
    [
      "tenants",
      "Tables: that without a tenant, and one of each tenant that was in use since the start.",
      () => tenants().length,
    ],
    [
      "warming",
      "1 while instances may still be missing after a start.",
      () => largest(({ publisher }) => (publisher.warming ? 1 : 0)),
    ],
    [
      "subscriber_lag_revisions",
      "How many revisions the slowest subscriber has yet to apply.",
      () =>
        largest(({ links, publisher }) =>
          Math.max(0, ...links.clients().flatMap(({ position }) => lag(publisher, position) ?? [])),
        ),
    ],
  ];
  for (const [name, help, read] of gauges) {
    add(
      new Gauge({
        name: `datawire_directory_${name}`,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  }
}

function observeLosses(registry: Registry, lost: () => Readonly<Record<string, number>>): void {
  registry.registerMetric(
    new Counter({
      name: "datawire_traces_dropped_total",
      help: "Spans and events that were lost, by reason.",
      labelNames: ["reason"],
      registers: [],
      collect() {
        this.reset();
        const counts = new Map(Object.entries(lost()));
        for (const reason of LOSS_REASONS) this.inc({ reason }, counts.get(reason) ?? 0);
      },
    }),
  );
}

function lag({ log }: Publisher, position: Position | null): number | null {
  return position?.epoch === log.epoch ? log.revision - position.revision : null;
}
