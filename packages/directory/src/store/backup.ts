import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { instanceKey } from "@datawire/protocol";
import { explainSystemError } from "@datawire/runtime";
import { type Store, type StoreContent, StoreError } from "./contract.ts";
import { openEmbeddedStore, STORE_FILE } from "./embedded.ts";

/**
 * Makes a backup of what a store holds: one file, which is an embedded store of its own, whatever kind of store it
 * came from.
 */
export function makeBackup({ records, registrations }: StoreContent): Promise<Uint8Array> {
  return withFolder(join(tmpdir(), "datawire-backup-"), async (folder) => {
    const copy = await openEmbeddedStore(folder, "backup");
    try {
      await copy.commit(records.map(({ key, value }) => ({ key, value, expected: 0 })));
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
export function readBackup(bytes: Uint8Array): Promise<StoreContent> {
  return withFolder(join(tmpdir(), "datawire-restore-"), async (folder) => {
    await writeFile(join(folder, STORE_FILE), bytes, { mode: 0o600 });
    try {
      const copy = await openEmbeddedStore(folder, "backup");
      try {
        return await copy.load();
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

/** Makes a store that no directory uses hold what a backup holds, and nothing else. */
export async function restoreInto(store: Store, backup: StoreContent): Promise<void> {
  const current = await store.load();
  const versions = new Map(current.records.map(({ key, version }) => [key, version]));
  const wanted = new Set(backup.records.map(({ key }) => key));
  await store.commit([
    ...backup.records.map(({ key, value }) => ({ key, value, expected: versions.get(key) ?? 0 })),
    ...[...versions].filter(([key]) => !wanted.has(key)).map(([key, expected]) => ({ key, value: null, expected })),
  ]);
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
