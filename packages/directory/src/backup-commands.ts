import {
  type CommandContext,
  type DaemonCommand,
  describeError,
  explainSystemError,
  readBounded,
  writeFileAtomically,
} from "@datawire/runtime";
import { askRunning, type RunningDirectory } from "./access/io/ask-running.ts";
import { BACKUP_BYTES_MAX } from "./api/backups.ts";
import { dataDirOf, type DirectorySettings } from "./settings.ts";
import { makeBackup, readBackup, readFolder, restoreFolder, setAside } from "./store/backup.ts";
import { type Store, StoreError } from "./store/contract.ts";
import { openEmbeddedStore } from "./store/embedded.ts";

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
        : await using(store, async () => makeBackup(await readFolder(folderOf(context), store)));
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
    const bytes = await readBackupFile(path);
    const backup = await readBackup(bytes).catch((cause: unknown) => {
      throw new Error(`Cannot restore ${path}`, { cause });
    });
    const store = await openOrReplace(context);
    if (store === null) await sendBackup(context, bytes);
    else await using(store, () => restoreFolder(folderOf(context), store, backup));
    const tenants = backup.tenants.size === 0 ? "" : `, and the tables of ${[...backup.tenants.keys()].join(", ")},`;
    context.print(`Restored ${backup.records.length} records${tenants} from ${path}\n`);
  },
};

const fileOf = ({ input }: Context): string => input.args[0] ?? "";

const folderOf = ({ settings, input }: Context): string => dataDirOf(settings.value, input.env);

/** The store, or null while a running directory has it; a shared one is asked for through the directory on this machine. */
async function openUnlessRunning(context: Context): Promise<Store | null> {
  if (context.settings.value.store !== "embedded") return null;
  try {
    return await openEmbeddedStore(folderOf(context), "backup");
  } catch (error) {
    if (error instanceof StoreError && error.code === "in_use") return null;
    throw error;
  }
}

/** As above, but a store that is damaged is what a restore is for: it is put aside. */
async function openOrReplace(context: Context): Promise<Store | null> {
  try {
    const store = await openUnlessRunning(context);
    if (store !== null) await checkLoads(store);
    return store;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "damaged") throw error;
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

async function readBackupFile(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, BACKUP_BYTES_MAX);
  } catch (cause) {
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
