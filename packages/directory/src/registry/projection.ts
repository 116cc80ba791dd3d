import type { Instance, Registration } from "@datawire/protocol";
import type { CatalogWriter } from "../feed/catalog-writer.ts";
import type { Moment } from "../model/moment.ts";
import type { Primaries } from "./primaries.ts";
import type { Services } from "./services.ts";
import { sameRegistration, type ShownState } from "./shown-state.ts";

/** What is made of the instances that are registered. */
export interface ProjectionParts {
  readonly writer: CatalogWriter;
  readonly services: Services;
  readonly primaries: Primaries;
}

/** What the table shows of the registered instances, and of each service what follows from its instances. */
export class Projection {
  readonly #parts: ProjectionParts;
  /** Services whose instances changed since the last `settle`. */
  readonly #touched = new Set<string>();

  constructor(parts: ProjectionParts) {
    this.#parts = parts;
  }

  /** Shows an instance as its Watson describes it, in the state that others are told. */
  show(
    key: string,
    said: Registration,
    { shown, order, moment }: { readonly shown: ShownState; readonly order: number; readonly moment: Moment },
  ): void {
    const { writer, services } = this.#parts;
    const before = writer.table.instance(key);
    const { state, reason, since } = shown;
    const instance: Instance = {
      ...said,
      state,
      reason,
      cause: state === "down" ? said.cause : null,
      since,
      order,
    };
    const isNew = before?.order !== order || before.since !== since;
    if (before !== null && !isNew && sameRegistration(before, instance)) return;
    if (before !== null) services.uncount(before);
    services.count(instance);
    writer.putInstance(instance, moment.wallMs);
    this.#touched.add(instance.service);
  }

  /** Shows an instance no more. */
  remove(key: string, { wallMs }: Moment): void {
    const { writer, services } = this.#parts;
    const instance = writer.table.instance(key);
    if (instance === null) return;
    services.uncount(instance);
    writer.removeInstance(key, wallMs);
    this.#touched.add(instance.service);
  }

  /** Brings the services in line with what changed of their instances; the last thing that every change does. */
  settle(moment: Moment): void {
    const { services, primaries } = this.#parts;
    for (const name of this.#touched) {
      primaries.review(name, moment);
      services.refresh(name, { provisional: primaries.provisional(name), atMs: moment.wallMs });
    }
    this.#touched.clear();
  }
}
