import type { CatalogReader } from "@datawire/catalog";

/** Counts the instances of a table after each of its changes, without going over all of it. */
export class Census {
  readonly #byService = new Map<string, Count>();
  /** Those that take requests: `live` and `lost`. */
  usable = 0;
  lost = 0;
  smallest = Number.POSITIVE_INFINITY;
  mostLost = 0;

  /** Counts what may have changed. */
  take(table: CatalogReader, services: ReadonlySet<string>): void {
    for (const name of services) {
      const before = this.#byService.get(name) ?? NONE;
      const now = count(table, name);
      this.#byService.set(name, now);
      this.usable += now.usable - before.usable;
      this.lost += now.lost - before.lost;
    }
    this.smallest = Math.min(this.smallest, this.usable);
    this.mostLost = Math.max(this.mostLost, this.lost);
  }

  /** Forgets the extremes so far. */
  reset(): void {
    this.smallest = this.usable;
    this.mostLost = this.lost;
  }
}

interface Count {
  readonly usable: number;
  readonly lost: number;
}

const NONE: Count = { usable: 0, lost: 0 };

function count(table: CatalogReader, name: string): Count {
  let live = 0;
  let lost = 0;
  for (const { state } of table.service(name)?.instances ?? []) {
    if (state === "live") live += 1;
    if (state === "lost") lost += 1;
  }
  return { usable: live + lost, lost };
}
