import type { Store } from "./contract.ts";

/** A store that is empty and keeps nothing: for an environment that does not exist, and is only read. */
export function createNothingStore(): Store {
  let version = 0;
  return {
    kind: "embedded",
    outage: null,
    writesMax: 1_000,
    isAbsent: true,
    replication: { kind: "snapshot", save: () => Promise.resolve() },
    load: () => Promise.resolve({ records: [], registrations: [], unreadable: [] }),
    commit: () => Promise.resolve(++version),
    follow: () => {},
    close: () => Promise.resolve(),
  };
}
