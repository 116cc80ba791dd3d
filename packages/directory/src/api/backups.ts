import { makeBackup, readBackup } from "../store/backup.ts";
import { ACCESS_PREFIX } from "../store/split-store.ts";
import type { ApiContext } from "./context.ts";
import { stamp } from "./context.ts";
import { type Endpoint, FileAnswer } from "./router.ts";

/** The largest backup that is taken back: 100,000 instances make one of 50 MB. */
export const BACKUP_BYTES_MAX = 256 * 1024 * 1024;

/** The endpoints behind `directory backup` and `directory restore`, for a directory that runs. */
export function backupEndpoints(context: ApiContext): Endpoint[] {
  const { store, desk } = context;
  return [
    {
      method: "GET",
      path: "/v1/backup",
      right: "administer", // it holds the key of the authority
      handle: async () => {
        await desk.settled();
        return new FileAnswer(await makeBackup(await store.load()));
      },
    },
    {
      method: "POST",
      path: "/v1/restore",
      right: "administer",
      handle: async ({ file, author }) => {
        const backup = await readBackup(await file(BACKUP_BYTES_MAX));
        // Who may do what stays as it is while the directory runs: a token that was revoked since must not come back.
        const records = backup.records.filter(({ key }) => !key.startsWith(ACCESS_PREFIX));
        const changed = await desk.restore(records, author);
        return { ...stamp(context), records: records.length, changed };
      },
    },
  ];
}
