import { constants, fstatSync } from "node:fs";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";

/** A folder of the file system as the disk of a log. The folder is there, and private. */
export function createFileDisk(folder: string): Disk {
  const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  return {
    list: () => readdir(folder),
    create: async (name) =>
      toDiskFile(join(folder, name), await open(join(folder, name), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)),
    open: async (name) => toDiskFile(join(folder, name), await open(join(folder, name), O_RDWR | O_NOFOLLOW)),
    remove: (name) => rm(join(folder, name), { force: true }),
    async syncFolder() {
      const handle = await open(folder, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

function toDiskFile(path: string, handle: FileHandle): DiskFile {
  return {
    size: async () => (await handle.stat()).size,
    async write(bytes, position) {
      // A write may be cut short, by a signal or by a disk that gets full.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    },
    async sync() {
      await handle.datasync();
      // The system syncs a file that nobody can ever open again.
      if (fstatSync(handle.fd).nlink === 0)
        throw new Error(`Cannot write ${path}: it was removed while it was in use; the router has to be started anew`);
    },
    async read(position, length, into) {
      const bytes = into ?? Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}
