import type { RecordWrite, Store, StoreContent, VersionedRecord } from "./contract.ts";

type Follow = (records: readonly VersionedRecord[]) => void;

/** Records whose keys begin with this are of who may do what; all others make the table. */
export const ACCESS_PREFIX = "access/";

/** One store as two that know nothing of each other: a backup has both. */
export interface SplitStore {
  /** Tokens and the authority. */
  readonly access: Store;
  /** All else. */
  readonly table: Store;
}

/** Splits a store; it must have been given to nobody yet. Closing the parts does nothing: whoever has the whole closes it. */
export function splitStore(whole: Store): SplitStore {
  const followers: { readonly owns: (key: string) => boolean; readonly listener: Follow }[] = [];
  const part = (owns: (key: string) => boolean): Store => ({
    kind: whole.kind,
    get outage() {
      return whole.outage;
    },
    writesMax: whole.writesMax,
    shared: null,
    async load(): Promise<StoreContent> {
      const { records } = await whole.load();
      return { records: records.filter(({ key }) => owns(key)), registrations: [] };
    },
    commit: (writes: readonly RecordWrite[]) => whole.commit(writes),
    saveRegistrations: async () => {},
    follow(listener) {
      followers.push({ owns, listener });
      if (followers.length > 1) return;
      whole.follow((records) => {
        for (const follower of followers) {
          const theirs = records.filter(({ key }) => follower.owns(key));
          if (theirs.length > 0) follower.listener(theirs);
        }
      });
    },
    close: async () => {},
  });
  const isAccess = (key: string): boolean => key.startsWith(ACCESS_PREFIX);
  const table = part((key) => !isAccess(key));
  return {
    access: part(isAccess),
    table: {
      ...table,
      get outage() {
        return whole.outage;
      },
      shared: whole.shared,
      // Loaded once: what is followed from then on begins where the list ends.
      async load(): Promise<StoreContent> {
        const { records, registrations } = await whole.load();
        return { records: records.filter(({ key }) => !isAccess(key)), registrations };
      },
      saveRegistrations: (changes) => whole.saveRegistrations(changes),
    },
  };
}
