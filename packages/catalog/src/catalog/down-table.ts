import { instanceKey } from "@datawire/protocol";
import type { ServiceView, CatalogReader } from "./catalog.ts";

/** A table with some instances down, for a program that cannot reach them: the rules then send their share elsewhere. */
export class DownTable implements CatalogReader {
  readonly #table: CatalogReader;
  readonly #reasons: ReadonlyMap<string, string>;

  /** @param reasons key `SERVICE@INSTANCE` → why it is of no use. */
  constructor(table: CatalogReader, reasons: ReadonlyMap<string, string>) {
    this.#table = table;
    this.#reasons = reasons;
  }

  serviceNames(): Iterable<string> {
    return this.#table.serviceNames();
  }

  service(name: string): ServiceView | null {
    const view = this.#table.service(name);
    if (view === null || !view.instances.some((instance) => this.#reasons.has(instanceKey(instance)))) return view;
    const instances = view.instances.map((instance) => {
      const reason = this.#reasons.get(instanceKey(instance));
      return reason === undefined || instance.state === "down"
        ? instance
        : { ...instance, state: "down" as const, reason };
    });
    return { ...view, instances };
  }
}
