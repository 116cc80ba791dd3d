import { rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { instanceKey } from "@datawire/protocol";
import { explainSystemError } from "@datawire/runtime";
import { type Backup, type BackupContent, collectBackup } from "./backup.ts";
import { type Store, StoreError } from "../contract.ts";
import { STORE_FILE } from "../embedded/embedded.ts";
import { inParts, replacing } from "../replacement.ts";

/** The stores of a directory that does not run. */
export interface IdleStores {
  readonly own: Store;
  listTenants(): Promise<readonly string[]>;
  openTenant(name: string): Promise<Store>;
}

/** Reads all that they hold. */
export function readAll(stores: IdleStores): Promise<Backup> {
  return collectBackup({
    own: () => stores.own.load(),
    listTenants: () => stores.listTenants(),
    tenant: (name) => usingTenant(stores, name, (one) => one.load()),
  });
}

/** Makes them hold what a backup holds, and nothing else. */
export async function restoreAll(stores: IdleStores, backup: Backup): Promise<void> {
  await restoreInto(stores.own, backup);
  for (const name of new Set([...(await stores.listTenants()), ...backup.tenants.keys()])) {
    const content = backup.tenants.get(name) ?? { records: [], registrations: [] };
    await usingTenant(stores, name, (one) => restoreInto(one, content));
  }
}

async function usingTenant<T>(stores: IdleStores, name: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await stores.openTenant(name);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/**
 * Makes a store that no directory uses hold what a backup holds, and nothing else. Restored again, it gets what is
 * missing.
 */
async function restoreInto(store: Store, backup: BackupContent): Promise<void> {
  const current = await store.load();
  const versions = new Map(current.records.map(({ key, version }) => [key, version]));
  const writes = replacing(current.records, backup.records);
  for (const part of inParts(writes, store))
    await store.commit(part.map((record) => ({ ...record, version: versions.get(record.key) ?? 0 })));
  // In a store that directories share, registrations are the Watsons' to state: they do so as soon as one runs.
  if (store.replication.kind !== "snapshot") return;
  const gone = current.registrations.map(({ registration }) => instanceKey(registration));
  await store.replication.save({ stored: [], gone });
  await store.replication.save({ stored: backup.registrations, gone: [] });
}

/** Moves a store that cannot be used out of the way, whole, and returns where it is now. */
export async function setAside(folder: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-");
  const aside = join(folder, `${STORE_FILE}.${stamp}`);
  // The log first: a store without it would be an older one that looks whole.
  for (const suffix of ["-wal", "-shm", ""]) {
    try {
      await rename(join(folder, STORE_FILE + suffix), aside + suffix);
    } catch (cause) {
      if (suffix === "")
        throw new StoreError("unavailable", `Cannot move ${basename(aside)}: ${explainSystemError(cause)}`);
    }
  }
  return aside;
}
