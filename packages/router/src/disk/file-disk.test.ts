import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileDisk } from "./file-disk.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "router-disk-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test("sync() fails for a file that was removed: what is in it would be gone with the process", async () => {
  const file = await createFileDisk(folder).create("1.log");
  await file.write(Buffer.from("kept"), 0);
  await file.sync();
  await rename(join(folder, "1.log"), join(folder, "2.log"));
  await file.sync();
  await rm(join(folder, "2.log"));
  await file.write(Buffer.from("lost"), 4);
  await expect(file.sync()).rejects.toThrow(
    `Cannot write ${join(folder, "1.log")}: it was removed while it was in use; the router has to be started anew`,
  );
  await file.close();
});
