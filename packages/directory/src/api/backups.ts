import { makeBackup, readBackup } from "../store/backup.ts";
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
      handle: async () => {
        await desk.settled();
        return new FileAnswer(await makeBackup(await store.load()));
      },
    },
    {
      method: "POST",
      path: "/v1/restore",
      handle: async ({ file, author }) => {
        const { records } = await readBackup(await file(BACKUP_BYTES_MAX));
        const changed = await desk.restore(records, author);
        return { ...stamp(context), records: records.length, changed };
      },
    },
  ];
}
