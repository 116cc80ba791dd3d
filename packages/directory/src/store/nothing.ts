import type { Store } from "./contract.ts";

/** A store of nothing, which keeps nothing: of what is not there and is only looked at. */
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
