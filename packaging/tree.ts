import { chmod, copyFile, lutimes, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Package, PackagedFile } from "./package.ts";

/** Writes the files of a package below `root`, as they will be installed. Gives their absolute paths, sorted. */
export async function writeTree({ files, folders }: Package, root: string): Promise<string[]> {
  const paths: string[] = [];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  for (const file of await flatten(files)) {
    const target = join(root, file.path);
    await mkdir(dirname(target), { recursive: true });
    if ("data" in file.content) await writeFile(target, file.content.data);
    else await copyFile(file.content.file, target);
    await chmod(target, file.mode);
    paths.push(file.path);
  }
  return paths.toSorted();
}

/** Gives everything below `root` one time and folders one mode, whatever the umask of the builder is. */
export async function levelTree(root: string, epoch: number): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
  }
  await chmod(root, 0o755);
  for (const entry of entries) await lutimes(join(entry.parentPath, entry.name), epoch, epoch);
  await lutimes(root, epoch, epoch);
}

/** How many bytes the files of a tree have. */
export async function treeBytes(root: string, paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(root, path))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

type SingleFile = PackagedFile & {
  readonly content: { readonly file: string } | { readonly data: string | Uint8Array };
};

async function flatten(files: readonly PackagedFile[]): Promise<SingleFile[]> {
  const lists = await Promise.all(
    files.map(async ({ content, ...file }): Promise<SingleFile[]> => {
      if (!("folder" in content)) return [{ ...file, content }];
      const entries = await readdir(content.folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => ({ ...file, path: join(file.path, relative(content.folder, path)), content: { file: path } }));
    }),
  );
  return lists.flat();
}

/** The text of an installed file, for checksums. */
export function readInstalled(root: string, path: string): Promise<Buffer> {
  return readFile(join(root, path));
}
