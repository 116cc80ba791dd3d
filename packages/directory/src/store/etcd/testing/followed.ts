import { type Clock, noLog, systemClock } from "@datawire/runtime";
import type { SharedNews } from "../../../registry/peer-updates.ts";
import type { VersionedRecord } from "../../contract.ts";
import type { PeerReplication } from "../../replication.ts";
import { type EtcdStore, type EtcdStoreConfig, openEtcdStore } from "../etcd-store.ts";

/** What a test chooses of a store on etcd. */
export type Choice = Pick<EtcdStoreConfig, "endpoints" | "prefix"> & Partial<EtcdStoreConfig>;

const PATIENCE = 50;
const HURRY = 4;

/** On a busy machine an answer of etcd may take longer than it may; with this one, every answer is waited for. */
export const patientClock: Clock = {
  ...systemClock,
  setTimer: (ms, fn) => systemClock.setTimer(ms * PATIENCE, fn),
};

/** Looks more often than the world does whether etcd is there. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

/** Opens a store on etcd, which waits for it for as long as it takes. Its lease outlasts a process that is held up. */
export function openStore(choice: Choice, clock: Clock = patientClock): Promise<EtcdStore> {
  const config = { user: null, tls: null, address: "//localhost/directory", leaseMs: 60_000, ...choice };
  return openEtcdStore(config, { clock, log: noLog }, new AbortController().signal);
}

/** A store that is followed, with all that came. */
export interface Followed {
  readonly store: EtcdStore;
  readonly shared: PeerReplication;
  readonly records: readonly VersionedRecord[];
  readonly news: readonly SharedNews[];
}

/** Opens a store and follows it; only a Watson of the id `alive` is there. */
export async function follow(choice: Choice, clock?: Clock): Promise<Followed> {
  const store = await openStore(choice, clock);
  const shared = store.replication;
  await store.load();
  const records: VersionedRecord[] = [];
  const news: SharedNews[] = [];
  store.follow((some) => records.push(...some));
  shared.follow({ news: (some) => news.push(some), challenged: async (id) => id === "alive" });
  return { store, shared, records, news };
}

/** A write of `value`, on the condition that the key still has this version; 0 for a new key. */
export const put = (key: string, value: unknown, version = 0) => ({ key, value, version });
