import {
  answersAlike,
  emptyChange,
  ENDPOINT_INSTANCES_MAX,
  endpointsOf,
  type Instance,
  instanceKey,
  serviceKey,
  type TableChange,
  tableKey,
} from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";

/** The keys that a change takes away. */
type Gone = TableChange["gone"];

/** What a subscriber keeps beyond what a warming directory knows (architecture rule 3). */
export class Kept {
  readonly #services = new Set<string>();
  readonly #instances = new Map<string, Instance | null>();
  readonly #tables = new Set<string>();

  /** @param table the table that has what the directory did not name. */
  add(gone: Gone, table: Pick<Catalog, "instance">): void {
    for (const key of gone.services) this.#services.add(key);
    for (const key of gone.instances) this.#instances.set(key, table.instance(key));
    for (const key of gone.tables) this.#tables.add(key);
  }

  /** What the directory speaks of, either way, is not ours to keep any more. */
  settle(change: TableChange): void {
    for (const key of [...change.services.map(serviceKey), ...change.gone.services]) this.#services.delete(key);
    for (const key of [...change.instances.map(instanceKey), ...change.gone.instances]) this.#instances.delete(key);
    for (const key of [...change.tables.map(tableKey), ...change.gone.tables]) this.#tables.delete(key);
  }

  /**
   * Gives up the instances at whose address the directory now knows of something else: what a Watson says there is
   * fresher than what is kept.
   */
  replacedBy(named: readonly Instance[]): Gone {
    if (this.#instances.size === 0) return emptyChange().gone;
    const taken = new Map<string, Instance[]>();
    for (const one of named.filter(({ state }) => state !== "lost")) {
      for (const endpoint of endpointsOf(one)) {
        const there = taken.get(endpoint);
        if (there === undefined) taken.set(endpoint, [one]);
        else there.push(one);
      }
    }
    const at = (endpoint: string): readonly Instance[] => {
      const there = taken.get(endpoint) ?? [];
      return there.length > ENDPOINT_INSTANCES_MAX ? [] : there;
    };
    const instances = [...this.#instances].flatMap(([key, kept]) => {
      const there = kept === null ? [] : endpointsOf(kept).flatMap(at);
      return there.some((one) => kept !== null && answersAlike(kept, one)) ? [key] : [];
    });
    for (const key of instances) this.#instances.delete(key);
    return { ...emptyChange().gone, instances };
  }

  gone(): Gone {
    return { services: [...this.#services], instances: [...this.#instances.keys()], tables: [...this.#tables] };
  }
}
