import { chmod, chown, lchown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ExitError } from "../errors/exit-codes.ts";
import { makePrivateFolder, UntrustedFolder, whyNoFolder } from "./private-folder.ts";

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

test.each([
  ["a file", "file", "it is a file, wanted a folder"],
  ["below a file", "file/a/b", "FOLDER/file is a file"],
  ["a link that leads nowhere", "link", "it is a link that leads nowhere"],
  ["below one", "link/a", "FOLDER/link is a link that leads nowhere"],
  ["a name that is too long", "x".repeat(300), "the name is too long"],
  ["one that is not there yet", "a/b/c", null],
  ["one that is there", ".", null],
])("whyNoFolder() knows of %s what makePrivateFolder() finds, and makes nothing", async (_what, name, wanted) => {
  const folder = await aFolder();
  await writeFile(join(folder, "file"), "");
  await symlink("/nowhere/at/all", join(folder, "link"));
  const path = join(folder, name);
  expect((await whyNoFolder(path))?.replaceAll(folder, "FOLDER") ?? null).toBe(wanted);
  expect((await readdir(folder)).toSorted()).toEqual(["file", "link"]);
  const code = await makePrivateFolder(path).then(
    () => null,
    ({ exitCode }: ExitError) => exitCode,
  );
  expect(code).toBe(wanted === null ? null : 78);
});
