import type { BigIntStats } from "node:fs";
import { glob, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { explainSystemError, type Problem, systemErrorCode } from "@datawire/runtime";

/** The service files that are there at one moment. */
export interface FileListing {
  /** A stamp of the content by path. */
  readonly stamps: ReadonlyMap<string, string>;
  /** The folders in which a change may show. */
  readonly folders: ReadonlySet<string>;
  /** Folders and files that could not be looked at: what was known of them still holds. */
  readonly problems: readonly Problem[];
}

const EXTENSION = /\.ya?ml$/;
const GLOB = /[*?[\]{}!]/;

/** Lists the files of folders (`*.yaml` and `*.yml`, none that is hidden), globs and files. */
export async function listFiles(sources: readonly string[]): Promise<FileListing> {
  const stamps = new Map<string, string>();
  const folders = new Set<string>();
  const problems: Problem[] = [];
  for (const source of sources) {
    try {
      const listed = GLOB.test(source) ? await listGlob(source) : await listPath(source);
      for (const folder of listed.folders) folders.add(folder);
      const found = await Promise.all(listed.paths.map(async (path) => [path, await stampOf(path)] as const));
      for (const [path, stamp] of found) if (stamp !== null) stamps.set(path, stamp);
    } catch (error) {
      folders.add(dirname(source));
      const what = EXTENSION.test(source) ? "file" : "folder";
      problems.push({
        file: source,
        line: 1,
        column: 1,
        message: `Cannot read the ${what}: ${explainSystemError(error)}`,
      });
    }
  }
  return { stamps, folders, problems };
}

/** Whether there is nothing at any of these paths. */
export async function areMissing(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => stat(path).then(() => null, systemErrorCode)));
  return found.every((code) => code === "ENOENT");
}

interface Listed {
  readonly paths: readonly string[];
  readonly folders: readonly string[];
}

async function listPath(source: string): Promise<Listed> {
  const path = resolve(source);
  if (!(await stat(path)).isDirectory()) return { paths: [path], folders: [dirname(path)] };
  const names = (await readdir(path)).filter((name) => EXTENSION.test(name) && !name.startsWith("."));
  return { paths: names.map((name) => join(path, name)), folders: [path] };
}

async function listGlob(source: string): Promise<Listed> {
  const paths: string[] = [];
  for await (const path of glob(resolve(source))) paths.push(path);
  const fixed = resolve(source).split("/");
  const folder = fixed
    .slice(
      0,
      fixed.findIndex((part) => GLOB.test(part)),
    )
    .join("/");
  return { paths, folders: [folder === "" ? "/" : folder, ...new Set(paths.map((path) => dirname(path)))] };
}

/** Whether two looks saw the same content; a link whose target is away is there too, to be reported. Null for a folder. */
async function stampOf(path: string): Promise<string | null> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isDirectory() ? null : stampOfStats(stats);
  } catch (error) {
    return `unreadable ${systemErrorCode(error) ?? "file"}`;
  }
}

function stampOfStats({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
