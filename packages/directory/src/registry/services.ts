import { familyOf, generationOf, type Instance, type Service, type ServiceProtocol } from "@datawire/protocol";
import { emptyRecord, type ServiceRecord } from "../model/records.ts";
import type { CatalogWriter } from "../feed/catalog-writer.ts";

/** How many instances of a service there are, so that no question about one instance needs a look at all of them. */
interface Tally {
  instances: number;
  readonly generations: Map<string, number>;
  readonly protocols: Map<ServiceProtocol, number>;
}

/**
 * The services: what is recorded of each, what its instances say, and the entity of the table that follows from both. A
 * service is in the table while it is declared or has an instance; what is recorded of it, above all its primary, stays
 * longer.
 */
export class Services {
  readonly #writer: CatalogWriter;
  readonly #records = new Map<string, ServiceRecord>();
  readonly #tallies = new Map<string, Tally>();

  constructor(writer: CatalogWriter) {
    this.#writer = writer;
  }

  record(name: string): ServiceRecord | null {
    return this.#records.get(name) ?? null;
  }

  records(): Iterable<ServiceRecord> {
    return this.#records.values();
  }

  setRecord(name: string, record: ServiceRecord | null): void {
    if (record === null) this.#records.delete(name);
    else this.#records.set(name, record);
  }

  count(instance: Instance): void {
    const tally = this.#tallies.get(instance.service) ?? {
      instances: 0,
      generations: new Map<string, number>(),
      protocols: new Map<ServiceProtocol, number>(),
    };
    this.#tallies.set(instance.service, tally);
    tally.instances += 1;
    add(tally.generations, generationOf(instance.version), 1);
    add(tally.protocols, instance.protocol, 1);
  }

  uncount(instance: Instance): void {
    const tally = this.#tallies.get(instance.service);
    if (tally === undefined) return;
    tally.instances -= 1;
    add(tally.generations, generationOf(instance.version), -1);
    add(tally.protocols, instance.protocol, -1);
    if (tally.instances === 0) this.#tallies.delete(instance.service);
  }

  instancesOf(name: string): number {
    return this.#tallies.get(name)?.instances ?? 0;
  }

  generationsOf(name: string): Iterable<string> {
    return this.#tallies.get(name)?.generations.keys() ?? [];
  }

  hasGeneration(name: string, generation: string): boolean {
    return this.#tallies.get(name)?.generations.has(generation) ?? false;
  }

  /** Whether the declaration or an instance other than `except` makes it a service that `protocol` must not join. */
  refusesProtocol(name: string, protocol: ServiceProtocol, except: Instance | null): ServiceProtocol | null {
    const mixes = (other: ServiceProtocol): boolean => familyOf(other) !== familyOf(protocol);
    const declared = this.#records.get(name)?.protocol ?? null;
    if (declared !== null && mixes(declared)) return declared;
    for (const [other, count] of this.#tallies.get(name)?.protocols ?? []) {
      if (mixes(other) && count > (except?.protocol === other ? 1 : 0)) return other;
    }
    return null;
  }

  /** Updates the entity from what is recorded and registered. */
  refresh(name: string, { provisional, atMs }: { readonly provisional: string | null; readonly atMs: number }): void {
    const existing = this.#writer.table.service(name)?.service ?? null;
    const record = this.#records.get(name) ?? emptyRecord(name);
    const tally = this.#tallies.get(name);
    if (tally === undefined && !record.declared) {
      if (existing !== null) this.#writer.removeService(name, atMs);
      return;
    }
    const protocol = record.protocol ?? protocolOf(tally, existing?.protocol);
    const service: Service = {
      name,
      protocol,
      primary: record.primary ?? provisional,
      declared: record.declared,
      proxyPort: protocol === "tcp" ? this.#proposedPort(name) : null,
      settings: record.settings,
    };
    if (existing === null || !sameService(existing, service)) this.#writer.putService(service, atMs);
  }

  /** The first registered instance that proposes a port decides. */
  #proposedPort(name: string): number | null {
    const instances = this.#writer.table.service(name)?.instances ?? [];
    return instances.find((instance) => instance.proxyPort !== null)?.proxyPort ?? null;
  }
}

/** The protocol that the service has, as long as an instance speaks it; else one that an instance does speak. */
function protocolOf(tally: Tally | undefined, current: ServiceProtocol | undefined): ServiceProtocol {
  if (tally === undefined) return current ?? "http";
  if (current !== undefined && tally.protocols.has(current)) return current;
  return tally.protocols.keys().next().value ?? "http";
}

/** Settings are replaced as a whole and never modified, so identity tells whether they changed. */
function sameService(a: Service, b: Service): boolean {
  return (
    a.protocol === b.protocol &&
    a.primary === b.primary &&
    a.declared === b.declared &&
    a.proxyPort === b.proxyPort &&
    (a.settings === b.settings || JSON.stringify(a.settings) === JSON.stringify(b.settings))
  );
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
