import { tableKey, type RouteTable } from "@datawire/protocol";
import type { RouteWorld } from "@datawire/routing";
import { Callers } from "../model/callers.ts";
import { History } from "../model/history.ts";
import { Rollouts } from "../model/rollouts.ts";
import type { Moment } from "../model/moment.ts";
import { Primaries } from "./primaries.ts";
import type { Drain, DurableRecord } from "../model/records.ts";
import type { LeaseConfig } from "./leases.ts";
import { Registry } from "./registry.ts";
import { Services } from "./services.ts";
import { CatalogWriter } from "../feed/catalog-writer.ts";

/** The settings that the state of a table depends on. */
export interface StateConfig extends LeaseConfig {
  readonly promotionDelayMs: number;
  /** The authorities under which addresses may name this directory. */
  readonly directories: readonly string[];
}

/** The state of one table: what Watsons say, what operators said, and the table that follows from both. */
export class State {
  readonly writer = new CatalogWriter();
  readonly services = new Services(this.writer);
  readonly callers = new Callers();
  readonly history = new History();
  readonly rollouts = new Rollouts();
  readonly primaries: Primaries;
  readonly registry: Registry;
  readonly #drains = new Map<string, Drain>();
  /** Keys of the route tables that have a route which ends by itself. */
  readonly #expiring = new Set<string>();
  /** The authorities under which an address may name this directory. */
  readonly directories: readonly string[];
  #nextRouteOrder = 0;
  #sessionKey: string | null = null;

  constructor({ leaseMs, promotionDelayMs, guard, directories }: StateConfig) {
    const { writer, services } = this;
    this.primaries = new Primaries(services, writer.table, { promotionDelayMs });
    this.registry = new Registry({ leaseMs, guard }, { writer, services, primaries: this.primaries });
    this.directories = directories;
  }

  /** Takes the settings that may change while the directory runs. */
  configure({ promotionDelayMs, guard }: Pick<StateConfig, "promotionDelayMs" | "guard">): void {
    this.registry.guard.configure(guard);
    this.primaries.configure({ promotionDelayMs });
  }

  get table(): CatalogWriter["table"] {
    return this.writer.table;
  }

  /** The key that Sherlocks make session cookies with; null while there is none. */
  get sessionKey(): string | null {
    return this.#sessionKey;
  }

  drain(key: string): Drain | null {
    return this.#drains.get(key) ?? null;
  }

  /** The route tables in which something ends by itself. */
  expiring(): RouteTable[] {
    return [...this.#expiring].flatMap((key) => this.table.routeTable(key) ?? []);
  }

  /** The world as the route commands of the protocol see it. */
  routeWorld({ wallMs }: Moment): RouteWorld {
    return {
      table: this.table,
      isKnownCaller: (name) => this.callers.isKnown(name, wallMs),
      directories: this.directories,
      nowMs: wallMs,
      nextOrder: this.#nextRouteOrder,
    };
  }

  /** Takes a record that is durable: at the start, after a commit, or from another directory on the same store. */
  set(record: DurableRecord, moment: Moment): void {
    switch (record.kind) {
      case "table":
        return this.#setTable(record.id, record.value, moment);
      case "service":
        this.services.setRecord(record.id, record.value);
        this.primaries.review(record.id, moment);
        this.services.refresh(record.id, {
          provisional: this.primaries.provisional(record.id),
          atMs: moment.wallMs,
        });
        return;
      case "drain":
        if (record.value === null) this.#drains.delete(record.id);
        else this.#drains.set(record.id, record.value);
        return this.registry.setDrained(record.id, record.value?.atMs ?? null, moment);
      case "key":
        this.#sessionKey = record.value?.key ?? null;
        return;
      case "caller":
        return this.callers.set(record.id, record.value);
      case "rollout":
        for (const table of [record.value?.before ?? null, record.value?.ours ?? null]) this.#countRoutes(table);
        return this.rollouts.set(record.id, record.value);
      case "tally":
        return this.rollouts.setTally(record.id, record.value);
      case "history":
        for (const { before, after } of record.value?.change.tables ?? []) this.#countRoutes(before ?? after);
        return this.history.set(Number(record.id), record.value);
    }
  }

  #setTable(key: string, table: RouteTable | null, { wallMs }: Moment): void {
    this.#expiring.delete(key);
    if (table === null) return this.writer.removeTable(key, wallMs);
    this.#countRoutes(table);
    if (table.routes.some((route) => route.expiry !== null)) this.#expiring.add(tableKey(table));
    this.writer.putTable(table, wallMs);
  }

  /** The order of a route is never used twice, or an undo could bring back a route as old as another one. */
  #countRoutes(table: RouteTable | null): void {
    for (const { order } of table?.routes ?? []) this.#nextRouteOrder = Math.max(this.#nextRouteOrder, order + 1);
  }
}
