import { instanceKey, type LeftOut, serviceKey, type TableChange, tableKey } from "@datawire/protocol";

/** The most entities that are reported one by one. */
const LEFT_OUT_MAX = 1_000;

/** The entities of a directory that could not be read. What is known of them from before stays in force. */
export class LeftOuts {
  /** By kind and key; those without a key are told apart by their reason. */
  readonly #known = new Map<string, LeftOut>();
  #list: readonly LeftOut[] | null = null;

  list(): readonly LeftOut[] {
    return (this.#list ??= [...this.#known.values()]);
  }

  add(leftOut: readonly LeftOut[]): void {
    for (const one of leftOut) {
      if (this.#known.size >= LEFT_OUT_MAX) break;
      this.#known.set(one.key === null ? `${one.kind}: ${one.reason}` : idOf(one.kind, one.key), one);
    }
    this.#list = null;
  }

  clear(): void {
    this.#known.clear();
    this.#list = null;
  }

  /** What the directory has said of an entity since holds, and can be read. */
  settle({ services, instances, tables, gone }: TableChange): void {
    if (this.#known.size === 0) return;
    for (const key of [...services.map(serviceKey), ...gone.services]) this.#known.delete(idOf("service", key));
    for (const key of [...instances.map(instanceKey), ...gone.instances]) this.#known.delete(idOf("instance", key));
    for (const key of [...tables.map(tableKey), ...gone.tables]) this.#known.delete(idOf("table", key));
    this.#list = null;
  }

  /** A change that takes away nothing of what could not be read: the directory has it, in whatever form. */
  keeping(change: TableChange): TableChange {
    if (this.#known.size === 0) return change;
    const without = (kind: LeftOut["kind"], keys: readonly string[]): string[] =>
      keys.filter((key) => !this.#known.has(idOf(kind, key)));
    const { services, instances, tables } = change.gone;
    const gone = {
      services: without("service", services),
      instances: without("instance", instances),
      tables: without("table", tables),
    };
    return { ...change, gone };
  }
}

const idOf = (kind: LeftOut["kind"], key: string): string => `${kind} ${key}`;
