import type { CatalogReader, ServiceView } from "@datawire/catalog";

/** Several tables as one: a service is that of the first table which has instances of it, else of the first that has it. */
export class MergedTable implements CatalogReader {
  #tables: readonly CatalogReader[] = [];

  /** Makes these the tables, the first ones first. */
  set(tables: readonly CatalogReader[]): void {
    this.#tables = tables;
  }

  service(name: string): ServiceView | null {
    const [only, ...others] = this.#tables;
    if (others.length === 0) return only?.service(name) ?? null;
    const views = this.#tables.flatMap((table) => table.service(name) ?? []);
    return views.find(({ instances }) => instances.length > 0) ?? views[0] ?? null;
  }

  serviceNames(): Iterable<string> {
    return new Set(this.#tables.flatMap((table) => [...table.serviceNames()]));
  }
}
