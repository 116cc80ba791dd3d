import { endpoints } from "@datawire/api";
import { ProtocolError } from "@datawire/protocol";
import type { Author } from "../changes/author.ts";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import { type Backup, collectBackup, writeBackup } from "../store/backup/backup.ts";
import { readableOf } from "../store/backup/backup-builder.ts";
import type { Store } from "../store/contract.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import { ACCESS_PREFIX } from "../store/split-store.ts";
import { type ApiContext, stamp } from "./context.ts";
import { bindDownload, bindUpload, type BoundEndpoint } from "./router.ts";

/** What backups are made of. */
type BackupContext = Pick<ApiContext, "store" | "executor" | "tenants" | "publisher" | "log">;

/** The largest backup that is taken back: 100,000 instances make one of 50 MB. */
export const BACKUP_BYTES_MAX = 256 * 1024 * 1024;

/** Restores at the same time would undo each other, and each takes the memory of a backup. */
const RESTORES_MAX = 1;

/** The endpoints behind `directory backup` and `directory restore`, for a directory that runs. */
export function backupEndpoints(context: BackupContext): BoundEndpoint[] {
  let restores = 0;
  const restore = async (source: AsyncIterable<Uint8Array>, author: Author) => {
    context.executor.requireThere();
    const backup = await readBackup(source);
    // Who may do what stays as it is while the directory runs: a token that was revoked since must not come back.
    const records = backup.records.filter(({ key }) => !key.startsWith(ACCESS_PREFIX));
    const executors = await executorsOf(context, backup);
    let changed = await context.executor.restore(records, author);
    // A tenant that is not in the backup has nothing afterwards.
    for (const [name, executor] of executors)
      changed += await executor.restore(backup.tenants.get(name)?.records ?? [], author);
    return { ...stamp(context), records: records.length, changed };
  };
  return [
    bindDownload(endpoints.backup, async () => {
      const { backup, omissions } = readableOf(await readAll(context));
      for (const omission of omissions) context.log.warn("Left out of a backup, as it cannot be read", { ...omission });
      return writeBackup(backup);
    }),
    bindUpload(endpoints.restore, { bytesMax: BACKUP_BYTES_MAX }, async (file, author) => {
      if (restores >= RESTORES_MAX)
        throw new ProtocolError("conflict", "Cannot restore now: another restore is going on");
      restores += 1;
      try {
        return await restore(file, author);
      } finally {
        restores -= 1;
      }
    }),
  ];
}

function readAll({ store, executor, tenants }: BackupContext): Promise<Backup> {
  const settled = async (one: { readonly store: Store; readonly executor: ChangeExecutor }) => {
    await one.executor.settled();
    return one.store.load();
  };
  return collectBackup({
    own: () => settled({ store, executor }),
    listTenants: () => tenants.list(),
    tenant: async (name) => settled(await tenants.of(name)),
  });
}

/** The executors of all tenants that there are, or are to be; opened before anything is written, as one may not be. */
async function executorsOf({ tenants }: BackupContext, backup: Backup): Promise<ReadonlyMap<string, ChangeExecutor>> {
  const executors = new Map<string, ChangeExecutor>();
  for (const name of new Set([...(await tenants.list()), ...backup.tenants.keys()]))
    executors.set(name, (await tenants.of(name)).executor);
  return executors;
}
