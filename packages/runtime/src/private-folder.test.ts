import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makePrivateFolder } from "./private-folder.ts";

test("makePrivateFolder() keeps others out of the folder, and of none above it", async () => {
  const root = await mkdtemp(join(tmpdir(), "private-folder-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const modeOf = async (...path: string[]) => ((await stat(join(root, ...path))).mode & 0o777).toString(8);
  await mkdir(join(root, "plain"), { mode: 0o755 });
  const shared = await modeOf("plain"); // less what the umask of whoever runs the tests takes
  await makePrivateFolder(join(root, "datawire", "watson"));
  expect([await modeOf("datawire"), await modeOf("datawire", "watson")]).toEqual([shared, "700"]);
  await makePrivateFolder(join(root, "datawire", "watson"));
  await makePrivateFolder(join(root, "datawire"));
  expect([await modeOf("datawire"), await modeOf("datawire", "watson")]).toEqual([shared, "700"]);
});
