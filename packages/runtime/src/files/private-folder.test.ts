import { chmod, chown, lchown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makePrivateFolder, UntrustedFolder } from "./private-folder.ts";

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

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

async function aFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "private-folder-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const folder = join(root, "data");
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

test.each([0o777, 0o770, 0o702, 0o1777])("makePrivateFolder() refuses a folder of mode %o", async (mode) => {
  const folder = await aFolder();
  await chmod(folder, mode);
  await expect(makePrivateFolder(folder)).rejects.toThrow(
    `Cannot use the folder ${folder}: others can write it (mode ${mode.toString(8)}), wanted 700: chmod 700 ${folder}`,
  );
});

test.runIf(isRoot)("makePrivateFolder() refuses another user's folder, and another user's link to one", async () => {
  const folder = await aFolder();
  const link = `${folder}.link`;
  await symlink(folder, link);
  await makePrivateFolder(link);
  await lchown(link, NOBODY, NOBODY);
  await expect(makePrivateFolder(link)).rejects.toThrow(`${link}: it belongs to user ${NOBODY}, wanted root`);
  await chown(folder, NOBODY, NOBODY);
  await expect(makePrivateFolder(folder)).rejects.toBeInstanceOf(UntrustedFolder);
  await expect(makePrivateFolder(folder)).rejects.toMatchObject({ exitCode: 78 });
});

test("makePrivateFolder() says where a folder cannot be made, and why", async () => {
  await expect(makePrivateFolder("/dev/null/data")).rejects.toThrow(
    "Cannot make the folder /dev/null/data: a part of the path is not a folder",
  );
});

test("makePrivateFolder() ends where no folder can be made however often one asks", async () => {
  await expect(makePrivateFolder("/proc/nobody/data")).rejects.toThrow(
    "Cannot make the folder /proc/nobody/data: no such",
  );
});

test("makePrivateFolder() takes a file in the place of the folder for bad configuration", async () => {
  const file = `${await aFolder()}/file`;
  await writeFile(file, "");
  await expect(makePrivateFolder(file)).rejects.toMatchObject({
    message: `Cannot use the folder ${file}: it is a file, wanted a folder`,
    exitCode: 78,
  });
});
