import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { instanceKey } from "@datawire/protocol";
import { explainSystemError } from "@datawire/runtime";
import { z } from "zod";
import { storedRegistrationSchema } from "../core/records.ts";
import { type Store, type StoreContent, StoreError, type VersionedRecord } from "./contract.ts";
import { openEmbeddedStore, STORE_FILE } from "./embedded.ts";

/** What a directory keeps: its own store, and that of each tenant by name. */
export interface Backup extends Pick<StoreContent, "records" | "registrations"> {
  readonly tenants: ReadonlyMap<string, Pick<StoreContent, "records" | "registrations">>;
}

/** In a backup, a tenant is one record below this. */
const TENANT_PREFIX = "tenants/";

const tenantSchema = z.object({
  records: z.array(z.object({ key: z.string(), value: z.unknown() })),
  registrations: z.array(storedRegistrationSchema),
});

/**
 * Makes a backup of what a directory keeps: one file, which is an embedded store of its own, whatever kind of store it
 * came from.
 */
export function makeBackup({ records, registrations, tenants }: Backup): Promise<Uint8Array> {
  const own = records.map(({ key, value }) => ({ key, value, expected: 0 }));
  const theirs = [...tenants].map(([name, content]) => ({
    key: TENANT_PREFIX + name,
    value: {
      records: content.records.map(({ key, value }) => ({ key, value })),
      registrations: content.registrations,
    },
    expected: 0,
  }));
  return withFolder(join(tmpdir(), "datawire-backup-"), async (folder) => {
    const copy = await openEmbeddedStore(folder, "backup");
    try {
      await copy.commit([...own, ...theirs]);
      await copy.saveRegistrations({ stored: registrations, gone: [] });
    } finally {
      await copy.close();
    }
    return readFile(join(folder, STORE_FILE));
  });
}

/**
 * Reads a backup.
 * @throws StoreError `damaged` for bytes that are none.
 */
export function readBackup(bytes: Uint8Array): Promise<Backup> {
  return withFolder(join(tmpdir(), "datawire-restore-"), async (folder) => {
    await writeFile(join(folder, STORE_FILE), bytes, { mode: 0o600 });
    try {
      const copy = await openEmbeddedStore(folder, "backup");
      try {
        return divided(await copy.load());
      } finally {
        await copy.close();
      }
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "damaged") throw error;
      // Its own words name a file that nobody knows and is about to go.
      throw new StoreError("damaged", "Cannot use the file as a backup: it is damaged, or none that a directory made");
    }
  });
}

function divided({ records, registrations }: Pick<StoreContent, "records" | "registrations">): Backup {
  const isTenant = ({ key }: VersionedRecord): boolean => key.startsWith(TENANT_PREFIX);
  const tenants = records.filter(isTenant).map(({ key, value, version }) => {
    const read = tenantSchema.safeParse(value);
    if (!read.success) throw new StoreError("damaged", `Cannot read ${key} of the backup`);
    const own = read.data.records.map((record) => ({ ...record, version }));
    return [key.slice(TENANT_PREFIX.length), { records: own, registrations: read.data.registrations }] as const;
  });
  return { records: records.filter((record) => !isTenant(record)), registrations, tenants: new Map(tenants) };
}

/** The stores of a directory that does not run. */
export interface IdleStores {
  readonly own: Store;
  listTenants(): Promise<readonly string[]>;
  openTenant(name: string): Promise<Store>;
}

/** Reads all that they hold. */
export async function readAll(stores: IdleStores): Promise<Backup> {
  const tenants = new Map<string, StoreContent>();
  for (const name of await stores.listTenants())
    tenants.set(name, await usingTenant(stores, name, (one) => one.load()));
  return { ...(await stores.own.load()), tenants };
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
 * Makes a store that no directory uses hold what a backup holds, and nothing else. One that takes only so many writes at
 * once gets them in parts; restored again, it gets what is missing.
 */
export async function restoreInto(
  store: Store,
  backup: Pick<StoreContent, "records" | "registrations">,
): Promise<void> {
  const current = await store.load();
  const versions = new Map(current.records.map(({ key, version }) => [key, version]));
  const wanted = new Set(backup.records.map(({ key }) => key));
  const writes = [
    ...backup.records.map(({ key, value }) => ({ key, value, expected: versions.get(key) ?? 0 })),
    ...[...versions].filter(([key]) => !wanted.has(key)).map(([key, expected]) => ({ key, value: null, expected })),
  ];
  // Records may be large: parts are well below what the store takes.
  const part = Math.floor(store.writesMax / 4);
  while (writes.length > part) await store.commit(writes.splice(0, part));
  await store.commit(writes);
  const gone = current.registrations.map(({ registration }) => instanceKey(registration));
  await store.saveRegistrations({ stored: [], gone });
  await store.saveRegistrations({ stored: backup.registrations, gone: [] });
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

/** A folder of one's own, gone afterwards. */
async function withFolder<T>(prefix: string, use: (folder: string) => Promise<T>): Promise<T> {
  let folder: string;
  try {
    folder = await mkdtemp(prefix);
  } catch (cause) {
    throw new StoreError("unavailable", `Cannot make a folder in ${dirname(prefix)}: ${explainSystemError(cause)}`, {
      cause,
    });
  }
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
