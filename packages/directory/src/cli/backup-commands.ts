import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import {
  type CommandContext,
  type DaemonCommand,
  describeError,
  explainSystemError,
  writeFileAtomically,
} from "@datawire/runtime";
import { askRunning, type RunningDirectory } from "./ask-running.ts";
import { BACKUP_BYTES_MAX } from "../api/backups.ts";
import { listEnvironments, listTenants, openStore } from "../store/open/open-store.ts";
import { dataDirOf, type DirectorySettings } from "../config/settings.ts";
import { type Backup, writeBackup } from "../store/backup/backup.ts";
import { readableOf } from "../store/backup/backup-builder.ts";
import { type Store, StoreError } from "../store/contract.ts";
import { openEmbeddedStore } from "../store/embedded/embedded.ts";
import { type IdleStores, readAll, restoreAll, setAside } from "../store/backup/idle-stores.ts";
import { isOldBackup, readOldBackup } from "../store/backup/old-backup.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import { listRealms, parseRealm, type Realm } from "../store/realm.ts";
import { realmFolder } from "../store/embedded/tenant-folders.ts";

type Context = CommandContext<DirectorySettings>;

/** `directory backup FILE`: writes all that the directory keeps into one file, whether it runs or not. */
export const backupCommand: DaemonCommand<DirectorySettings> = {
  command: "backup <file>",
  summary: "write all that the directory keeps into one file, while it runs or not",
  async run(context) {
    const path = fileOf(context);
    const store = await openUnlessRunning(context);
    const bytes =
      store === null
        ? await fetchBackup(context)
        : await using(store, async () => bytesOf(context, await readAll(idleStores(context, store))));
    await writeFileAtomically(path, bytes, { mode: 0o600 });
    context.print(`Backup written to ${path} (${bytes.length} bytes)\n`);
  },
};

/** `directory restore FILE`: makes the directory keep what a backup has, and nothing else. */
export const restoreCommand: DaemonCommand<DirectorySettings> = {
  command: "restore <file>",
  summary: "make the directory keep what a backup has and nothing else, while it runs or not",
  async run(context) {
    const path = fileOf(context);
    const backup = await readBackupFile(path);
    const store = await openOrReplace(context);
    if (store === null) await sendBackup(context, Buffer.concat([...writeBackup(backup)]));
    else await using(store, () => restoreAll(idleStores(context, store), backup));
    const tenants = backup.tenants.size === 0 ? "" : `, and the tables of ${[...backup.tenants.keys()].join(", ")},`;
    context.print(`Restored ${backup.records.length} records${tenants} from ${path}\n`);
  },
};

const fileOf = ({ input }: Context): string => input.args[0] ?? "";

const folderOf = ({ settings, input }: Context): string => dataDirOf(settings.value, input.env);

/** The stores of tenants beside that of the directory. */
function idleStores(context: Context, own: Store): IdleStores {
  const { settings, clock } = context;
  const folder = folderOf(context);
  return {
    own,
    listTenants: () =>
      listRealms({
        listTenants: () => listTenants({ store: settings.value.store, folder }, { clock }),
        listEnvironments: (tenant) => listEnvironments({ store: settings.value.store, folder, tenant }, { clock }),
      }),
    openTenant(name) {
      const realm = parseRealm(name);
      return openAs(context, { folder: realmFolder(folder, realm), ...realm });
    },
  };
}

function openAs(context: Context, which: { readonly folder: string } & Realm): Promise<Store> {
  const { settings, clock, log, signal } = context;
  const { store, lease: leaseMs } = settings.value;
  return openStore({ store, leaseMs, address: null, ...which }, { clock, log }, signal);
}

/** The store, or null while directories use it, which are to be asked then. */
async function openUnlessRunning(context: Context): Promise<Store | null> {
  let store: Store;
  try {
    store = await openAs(context, { folder: folderOf(context), tenant: null, environment: null });
  } catch (error) {
    if (error instanceof StoreError && error.code === "in_use") return null;
    throw error;
  }
  const { replication } = store;
  if (replication.kind === "snapshot") return store;
  await store.load();
  if (replication.replicas().every(({ id }) => id === replication.replica)) return store;
  await store.close();
  return null;
}

/** As above, but a store that is damaged is what a restore is for: it is put aside. */
async function openOrReplace(context: Context): Promise<Store | null> {
  try {
    const store = await openUnlessRunning(context);
    if (store !== null) await checkLoads(store);
    return store;
  } catch (error) {
    const isFile = context.settings.value.store === "embedded";
    if (!isFile || !(error instanceof StoreError) || error.code !== "damaged") throw error;
    const aside = await setAside(folderOf(context), context.clock.nowMs());
    context.log.warn("Damaged store put aside", { path: aside, reason: describeError(error) });
    return openEmbeddedStore(folderOf(context), "restore");
  }
}

async function checkLoads(store: Store): Promise<void> {
  try {
    await store.load();
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function using<T>(store: Store, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await store.close();
  }
}

/** What can be restored of it. */
function bytesOf({ log }: Context, kept: Backup): Uint8Array {
  const { backup, omissions } = readableOf(kept);
  for (const omission of omissions) log.warn("Left out of the backup, as it cannot be read", { ...omission });
  return Buffer.concat([...writeBackup(backup)]);
}

async function readBackupFile(path: string): Promise<Backup> {
  try {
    const { size } = await stat(path);
    if (size > BACKUP_BYTES_MAX) throw new Error(`it has ${size} bytes, wanted ${BACKUP_BYTES_MAX} at the most`);
    if (await isOldBackup(path)) return await readOldBackup(path);
    return await readBackup(createReadStream(path) as AsyncIterable<Uint8Array>);
  } catch (cause) {
    if (cause instanceof StoreError) throw new Error(`Cannot restore ${path}`, { cause });
    throw new Error(`Cannot read ${path}: ${explainSystemError(cause)}`, { cause });
  }
}

function fetchBackup(context: Context): Promise<Uint8Array> {
  return askRunning(runningOf(context), { method: "GET", path: "/v1/backup" });
}

async function sendBackup(context: Context, body: Uint8Array): Promise<void> {
  await askRunning(runningOf(context), { method: "POST", path: "/v1/restore", body });
}

/** The directory of this machine that has the store open. */
const runningOf = ({ settings, input, signal }: Context): RunningDirectory => ({
  settings: settings.value,
  env: input.env,
  signal,
});
