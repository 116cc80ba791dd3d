import {
  emptyChange,
  type Instance,
  instanceKey,
  type RouteTable,
  type Service,
  type TableChange,
  tableKey,
} from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";

/** What changed since the last time that changes were taken. */
export interface Batch {
  /** One change for each revision to be made, in order: a large one comes in parts that fit into a frame. */
  readonly changes: readonly TableChange[];
  /** When the oldest of it happened. */
  readonly atMs: number;
}

/** The most of each kind in one change: with the largest instances, 6 KB each, that keeps a frame under its bound. */
const CHUNK = { services: 1_000, instances: 500, gone: 5_000 } as const;

/** The table of a directory: takes entities one by one, and gives what changed since it was last asked. */
export class CatalogWriter {
  readonly table = new Catalog();
  readonly #services = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #tables = new Set<string>();
  #atMs: number | null = null;

  /** Whether something changed that nobody has taken yet. */
  get pending(): boolean {
    return this.#atMs !== null;
  }

  putService(service: Service, atMs: number): void {
    this.#apply({ services: [service] }, atMs);
    this.#services.add(service.name);
  }

  removeService(name: string, atMs: number): void {
    this.#apply({ gone: { services: [name], instances: [], tables: [] } }, atMs);
    this.#services.add(name);
  }

  putInstance(instance: Instance, atMs: number): void {
    this.#apply({ instances: [instance] }, atMs);
    this.#instances.add(instanceKey(instance));
  }

  removeInstance(key: string, atMs: number): void {
    this.#apply({ gone: { services: [], instances: [key], tables: [] } }, atMs);
    this.#instances.add(key);
  }

  putTable(table: RouteTable, atMs: number): void {
    this.#apply({ tables: [table] }, atMs);
    this.#tables.add(tableKey(table));
  }

  removeTable(key: string, atMs: number): void {
    this.#apply({ gone: { services: [], instances: [], tables: [key] } }, atMs);
    this.#tables.add(key);
  }

  /** Everything that changed since the last call, each entity once and as it is now; null when nothing did. */
  take(): Batch | null {
    if (this.#atMs === null) return null;
    const atMs = this.#atMs;
    const changes = split({
      services: present(this.#services, (name) => this.table.service(name)?.service ?? null),
      instances: present(this.#instances, (key) => this.table.instance(key)),
      tables: present(this.#tables, (key) => this.table.routeTable(key)),
      gone: {
        services: absent(this.#services, (name) => this.table.service(name)),
        instances: absent(this.#instances, (key) => this.table.instance(key)),
        tables: absent(this.#tables, (key) => this.table.routeTable(key)),
      },
    });
    this.#services.clear();
    this.#instances.clear();
    this.#tables.clear();
    this.#atMs = null;
    return { changes, atMs };
  }

  #apply(change: Partial<TableChange>, atMs: number): void {
    this.table.apply({ ...emptyChange(), ...change });
    this.#atMs ??= atMs;
  }
}

/** Route tables go first and together, with the services that changed: a promotion changes both at once. */
function split({ services, instances, tables, gone }: TableChange): TableChange[] {
  const count = Math.max(
    1,
    Math.ceil(services.length / CHUNK.services),
    Math.ceil(instances.length / CHUNK.instances),
    Math.ceil(gone.services.length / CHUNK.gone),
    Math.ceil(gone.instances.length / CHUNK.gone),
  );
  return Array.from({ length: count }, (_, i) => ({
    services: chunk(services, i, CHUNK.services),
    instances: chunk(instances, i, CHUNK.instances),
    tables: i === 0 ? tables : [],
    gone: {
      services: chunk(gone.services, i, CHUNK.gone),
      instances: chunk(gone.instances, i, CHUNK.gone),
      tables: i === 0 ? gone.tables : [],
    },
  }));
}

function chunk<T>(list: readonly T[], index: number, size: number): T[] {
  return list.slice(index * size, (index + 1) * size);
}

function present<T>(keys: ReadonlySet<string>, find: (key: string) => T | null): T[] {
  return [...keys].flatMap((key) => find(key) ?? []);
}

function absent(keys: ReadonlySet<string>, find: (key: string) => unknown): string[] {
  return [...keys].filter((key) => find(key) === null);
}
