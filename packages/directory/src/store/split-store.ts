import type { RecordStore, Store, StoreContent, VersionedRecord } from "./contract.ts";

type Follow = (records: readonly VersionedRecord[]) => void;

/** Records whose keys begin with this are of who may do what; all others make the table. */
export const ACCESS_PREFIX = "access/";

/** One store as two that know nothing of each other: a backup has both. */
export interface SplitStore {
  /** Tokens and the authority. */
  readonly access: RecordStore;
  /** All else. Closing it does nothing: whoever has the whole closes that. */
  readonly table: Store;
}

/** Splits a store; it must have been given to nobody yet. */
export function splitStore(whole: Store): SplitStore {
  const parts: Part[] = [];
  // Both parts begin with the same list, which is made once, and follow what comes after it.
  let first: Promise<StoreContent> | null = null;
  let unloaded = 2;
  const begin = async (): Promise<StoreContent> => {
    const content = await whole.load();
    whole.follow((records) => {
      for (const one of parts) one.take(records);
    });
    return content;
  };
  const make = (owns: (key: string) => boolean) => {
    const part = new Part(owns);
    parts.push(part);
    let loaded = false;
    return {
      kind: whole.kind,
      writesMax: whole.writesMax,
      get outage() {
        return whole.outage;
      },
      async load(): Promise<StoreContent> {
        const { records, registrations, unreadable } = await (loaded ? whole.load() : (first ??= begin()));
        loaded = true;
        unloaded -= 1;
        // It may be large, and nobody asks for it again.
        if (unloaded === 0) first = null;
        return { records: records.filter(({ key }) => owns(key)), registrations, unreadable };
      },
      commit: whole.commit.bind(whole),
      follow: part.follow.bind(part),
    };
  };
  const isAccess = (key: string): boolean => key.startsWith(ACCESS_PREFIX);
  const access: RecordStore = make(isAccess);
  const table = make((key) => !isAccess(key));
  return { access, table: Object.assign(table, { replication: whole.replication, close: async () => {} }) };
}

/** What one part follows of the whole; it waits until somebody does. */
class Part {
  readonly #owns: (key: string) => boolean;
  #listener: Follow | null = null;
  #waiting: VersionedRecord[] = [];

  constructor(owns: (key: string) => boolean) {
    this.#owns = owns;
  }

  follow(listener: Follow): void {
    this.#listener = listener;
    this.take(this.#waiting);
    this.#waiting = [];
  }

  take(records: readonly VersionedRecord[]): void {
    const own = records.filter(({ key }) => this.#owns(key));
    if (own.length === 0) return;
    if (this.#listener === null) this.#waiting.push(...own);
    else this.#listener(own);
  }
}
