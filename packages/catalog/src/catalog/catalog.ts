import {
  type Instance,
  instanceKey,
  parseServiceAddress,
  type RouteTable,
  type Service,
  serviceKey,
  type TableChange,
  tableKey,
} from "@datawire/protocol";
import { bucketFor, CatalogDigest } from "./catalog-digest.ts";
import type { Buckets } from "./buckets.ts";

/** Everything that the rules need to know of one service. */
export interface ServiceView {
  readonly service: Service;
  /** In the order of first registration. */
  readonly instances: readonly Instance[];
  /** The route tables that split the requests addressed to this service. */
  readonly tables: readonly RouteTable[];
  /** The targets, of any table, that name this service with a version or an instance. */
  readonly named: readonly string[];
}

/** Read access to a table, as the rules use it. */
export interface CatalogReader {
  service(name: string): ServiceView | null;
  serviceNames(): Iterable<string>;
}

/**
 * A table that takes changes and answers for one service at a time without a scan of the others. Mutable, since a
 * table may hold 100,000 instances; entities themselves are never modified.
 */
export class Catalog implements CatalogReader {
  readonly #services = new Map<string, Service>();
  readonly #instances = new Map<string, Instance>();
  readonly #tables = new Map<string, RouteTable>();
  /** service → its instances by key, and the tables that split it or name it by key. */
  readonly #instancesOf = new Map<string, Map<string, Instance>>();
  readonly #tablesOf = new Map<string, Map<string, RouteTable>>();
  readonly #tablesNaming = new Map<string, Map<string, RouteTable>>();
  readonly #views = new Map<string, ServiceView>();
  /** Made on the first call: most tables are never compared. */
  #hash: CatalogDigest | null = null;

  /** Applies a change and returns the names of the services whose traffic split may differ from before. */
  apply(change: TableChange): Set<string> {
    const touched = new Set<string>();
    for (const key of change.gone.tables) this.#removeTable(key, touched);
    for (const key of change.gone.instances) this.#removeInstance(key, touched);
    for (const key of change.gone.services) this.#removeService(key, touched);
    for (const service of change.services) this.#putService(service, touched);
    for (const instance of change.instances) this.#putInstance(instance, touched);
    for (const table of change.tables) {
      this.#removeTable(tableKey(table), touched);
      this.#addTable(table, touched);
    }
    for (const name of touched) this.#views.delete(name);
    return this.#withDependents(touched);
  }

  service(name: string): ServiceView | null {
    const service = this.#services.get(name);
    if (service === undefined) return null;
    const known = this.#views.get(name);
    if (known !== undefined) return known;
    const view: ServiceView = {
      service,
      instances: [...(this.#instancesOf.get(name)?.values() ?? [])].sort(
        // Two directories on one store may have given the same order at the same moment.
        (a, b) => a.order - b.order || (a.name < b.name ? -1 : 1),
      ),
      tables: [...(this.#tablesOf.get(name)?.values() ?? [])],
      named: this.#namedTargets(name),
    };
    this.#views.set(name, view);
    return view;
  }

  serviceNames(): Iterable<string> {
    return this.#services.keys();
  }

  services(): Iterable<Service> {
    return this.#services.values();
  }

  instances(): Iterable<Instance> {
    return this.#instances.values();
  }

  routeTables(): Iterable<RouteTable> {
    return this.#tables.values();
  }

  instance(key: string): Instance | null {
    return this.#instances.get(key) ?? null;
  }

  routeTable(key: string): RouteTable | null {
    return this.#tables.get(key) ?? null;
  }

  get size(): { readonly services: number; readonly instances: number; readonly tables: number } {
    return { services: this.#services.size, instances: this.#instances.size, tables: this.#tables.size };
  }

  /** The hash of all that is in it: equal for equal tables, and hardly ever for others. */
  hash(): string {
    return this.#hashed({ buckets: false }).toString();
  }

  /** What is in each of so many buckets, 8 hexadecimal digits for each. */
  buckets(count: number): string {
    return this.#hashed({ buckets: true }).buckets(count);
  }

  /** The whole table as one change onto an empty one. */
  snapshot(): TableChange {
    return {
      services: [...this.#services.values()],
      instances: [...this.#instances.values()],
      tables: [...this.#tables.values()],
      gone: { services: [], instances: [], tables: [] },
    };
  }

  /** All that is in some buckets, as a change onto a table that has nothing there. */
  inBuckets(buckets: Buckets): TableChange {
    const isThere = membership(buckets);
    const { services, instances, tables, gone } = this.snapshot();
    return {
      services: services.filter((service) => isThere(serviceKey(service))),
      instances: instances.filter((instance) => isThere(instanceKey(instance))),
      tables: tables.filter((table) => isThere(tableKey(table))),
      gone,
    };
  }

  /**
   * The change that makes this table equal to `next`.
   * @param buckets the ones that `next` is about; null for the whole table.
   */
  changeTo(next: TableChange, buckets: Buckets | null = null): TableChange {
    const isThere = buckets === null ? () => true : membership(buckets);
    return {
      services: next.services.filter((service) => !same(this.#services.get(serviceKey(service)), service)),
      instances: next.instances.filter((instance) => !same(this.#instances.get(instanceKey(instance)), instance)),
      tables: next.tables.filter((table) => !same(this.#tables.get(tableKey(table)), table)),
      gone: {
        services: missing(this.#services, next.services.map(serviceKey)).filter(isThere),
        instances: missing(this.#instances, next.instances.map(instanceKey)).filter(isThere),
        tables: missing(this.#tables, next.tables.map(tableKey)).filter(isThere),
      },
    };
  }

  #hashed({ buckets }: { readonly buckets: boolean }): CatalogDigest {
    if (this.#hash !== null && (this.#hash.hasBuckets || !buckets)) return this.#hash;
    this.#hash = new CatalogDigest({ buckets });
    for (const service of this.#services.values()) this.#hash.addService(service);
    for (const instance of this.#instances.values()) this.#hash.addInstance(instance);
    for (const table of this.#tables.values()) this.#hash.addTable(table);
    return this.#hash;
  }

  #putService(service: Service, touched: Set<string>): void {
    const before = this.#services.get(service.name);
    if (before !== undefined) this.#hash?.removeService(before);
    this.#services.set(service.name, service);
    this.#hash?.addService(service);
    touched.add(service.name);
  }

  #removeService(name: string, touched: Set<string>): void {
    const service = this.#services.get(name);
    if (service === undefined) return;
    this.#services.delete(name);
    this.#hash?.removeService(service);
    touched.add(name);
  }

  #putInstance(instance: Instance, touched: Set<string>): void {
    const key = instanceKey(instance);
    const before = this.#instances.get(key);
    if (before !== undefined) this.#hash?.removeInstance(before);
    this.#instances.set(key, instance);
    put(this.#instancesOf, instance.service, key, instance);
    this.#hash?.addInstance(instance);
    touched.add(instance.service);
  }

  #addTable(table: RouteTable, touched: Set<string>): void {
    const key = tableKey(table);
    this.#tables.set(key, table);
    this.#hash?.addTable(table);
    put(this.#tablesOf, table.service, key, table);
    touched.add(table.service);
    for (const name of targetServices(table)) {
      put(this.#tablesNaming, name, key, table);
      touched.add(name);
    }
  }

  #removeTable(key: string, touched: Set<string>): void {
    const table = this.#tables.get(key);
    if (table === undefined) return;
    this.#tables.delete(key);
    this.#hash?.removeTable(table);
    take(this.#tablesOf, table.service, key);
    touched.add(table.service);
    for (const name of targetServices(table)) {
      take(this.#tablesNaming, name, key);
      touched.add(name);
    }
  }

  #removeInstance(key: string, touched: Set<string>): void {
    const instance = this.#instances.get(key);
    if (instance === undefined) return;
    this.#instances.delete(key);
    this.#hash?.removeInstance(instance);
    take(this.#instancesOf, instance.service, key);
    touched.add(instance.service);
  }

  /** A share may go from one service to another, one level deep: what changes in the other changes the first. */
  #withDependents(touched: ReadonlySet<string>): Set<string> {
    const all = new Set(touched);
    for (const name of touched) {
      for (const table of this.#tablesNaming.get(name)?.values() ?? []) all.add(table.service);
    }
    return all;
  }

  #namedTargets(name: string): string[] {
    const targets = new Set<string>();
    for (const table of this.#tablesNaming.get(name)?.values() ?? []) {
      for (const route of table.routes) {
        const address = parseServiceAddress(route.target);
        if (address.service === name && (address.version ?? address.instance) !== null) targets.add(route.target);
      }
    }
    return [...targets].sort();
  }
}

function targetServices(table: RouteTable): Set<string> {
  return new Set(table.routes.map((route) => parseServiceAddress(route.target).service));
}

function put<T>(index: Map<string, Map<string, T>>, name: string, key: string, value: T): void {
  const existing = index.get(name);
  if (existing === undefined) index.set(name, new Map([[key, value]]));
  else existing.set(key, value);
}

function take<T>(index: Map<string, Map<string, T>>, name: string, key: string): void {
  const existing = index.get(name);
  if (existing === undefined) return;
  existing.delete(key);
  if (existing.size === 0) index.delete(name);
}

/** Whether the entity with a key is in one of the buckets. */
function membership({ of, these }: Buckets): (key: string) => boolean {
  const wanted = new Set(these);
  return (key) => wanted.has(bucketFor(key, of));
}

function missing<T>(have: ReadonlyMap<string, T>, wanted: readonly string[]): string[] {
  const keep = new Set(wanted);
  return [...have.keys()].filter((key) => !keep.has(key));
}

/** Entities come from parsed JSON with the same schema, so equal ones have equal text. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
