import { endpoints } from "@datawire/api";
import type { Author } from "../desk.ts";
import { type Backup, makeBackup, readBackup } from "../store/backup.ts";
import type { StoreContent } from "../store/contract.ts";
import { ACCESS_PREFIX } from "../store/split-store.ts";
import type { ApiContext } from "./context.ts";
import { stamp } from "./context.ts";
import { bindDownload, bindUpload, type BoundEndpoint } from "./router.ts";

/** The largest backup that is taken back: 100,000 instances make one of 50 MB. */
export const BACKUP_BYTES_MAX = 256 * 1024 * 1024;

/** The endpoints behind `directory backup` and `directory restore`, for a directory that runs. */
export function backupEndpoints(context: ApiContext): BoundEndpoint[] {
  return [
    bindDownload(endpoints.backup, async () => makeBackup(await readAll(context))),
    bindUpload(endpoints.restore, { bytesMax: BACKUP_BYTES_MAX }, async (file, author) => {
      const backup = await readBackup(file);
      // Who may do what stays as it is while the directory runs: a token that was revoked since must not come back.
      const records = backup.records.filter(({ key }) => !key.startsWith(ACCESS_PREFIX));
      const changed = (await context.desk.restore(records, author)) + (await restoreTenants(context, backup, author));
      return { ...stamp(context), records: records.length, changed };
    }),
  ];
}

async function readAll({ store, desk, tenants }: ApiContext): Promise<Backup> {
  const contents = new Map<string, StoreContent>();
  for (const name of (await tenants?.list()) ?? []) {
    const tenant = await tenants?.of(name);
    if (tenant === undefined) continue;
    await tenant.desk.settled();
    contents.set(name, await tenant.store.load());
  }
  await desk.settled();
  return { ...(await store.load()), tenants: contents };
}

/** Returns how many records of tenants changed. A tenant that is not in the backup has nothing afterwards. */
async function restoreTenants({ tenants }: ApiContext, backup: Backup, author: Author): Promise<number> {
  if (tenants === null) return 0;
  let changed = 0;
  for (const name of new Set([...(await tenants.list()), ...backup.tenants.keys()])) {
    const { desk } = await tenants.of(name);
    changed += await desk.restore(backup.tenants.get(name)?.records ?? [], author);
  }
  return changed;
}
