import type { BigIntStats } from "node:fs";
import { glob, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { explainSystemError, type Problem, systemErrorCode } from "@datawire/runtime";
import { isLeftAlone, isServiceFile } from "./file-names.ts";

/** The service files that are there at one moment. */
export interface FileListing {
  /** A stamp of the content by path. */
  readonly stamps: ReadonlyMap<string, string>;
  /** The folders in which a change may show. */
  readonly folders: ReadonlySet<string>;
  /** Folders and files that could not be read: what was known of them stays in force. */
  readonly problems: readonly Problem[];
  /**
   * Files that are there but are not service files, and paths that are named but not there, neither of which is likely
   * to be meant.
   */
  readonly unused: readonly Problem[];
}

const GLOB = /[*?[\]{}!]/;

/**
 * Lists the files of folders (`*.yaml`, `*.yml` and `*.json`, none that is hidden), globs and files.
 * @param unusedAfterMs how long something has to lie there until it is told that it is not used: editors and whatever
 * puts a file in place whole leave names of their own for a moment.
 */
export async function listFiles(
  sources: readonly string[],
  { unusedAfterMs }: { readonly unusedAfterMs: number },
): Promise<FileListing> {
  const stamps = new Map<string, string>();
  const folders = new Set<string>();
  const problems: Problem[] = [];
  const unused: Problem[] = [];
  const beforeMs = Date.now() - unusedAfterMs;
  for (const source of sources) {
    try {
      const isPattern = GLOB.test(source);
      const listed = isPattern ? await listGlob(source) : await listPath(source, beforeMs);
      for (const folder of listed.folders) folders.add(folder);
      unused.push(...listed.unused);
      const found = await Promise.all(listed.paths.map(async (path) => [path, await stampOf(path)] as const));
      for (const [path, stamp] of found) if (stamp !== null) stamps.set(path, stamp);
      // A folder that is named as a file is: whoever mounts a file that is not there gets one. A pattern may fit many.
      const within = isPattern ? [] : found.flatMap(([path, stamp]) => (stamp === null ? [path] : []));
      const why = await Promise.all(within.map((path) => whyUnused(path, beforeMs)));
      unused.push(...why.filter((problem) => problem !== null));
    } catch (error) {
      folders.add(dirname(source));
      const what = isServiceFile(source) ? "file" : "folder";
      problems.push(problemOf(source, `Cannot read the ${what}: ${explainSystemError(error)}`));
    }
  }
  return { stamps, folders, problems, unused };
}

const problemOf = (file: string, message: string): Problem => ({ file, line: 1, column: 1, message });

/** Whether there is nothing at any of these paths. */
export async function areMissing(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => stat(path).then(() => null, systemErrorCode)));
  return found.every((code) => code === "ENOENT");
}

interface Listed {
  readonly paths: readonly string[];
  readonly folders: readonly string[];
  readonly unused: readonly Problem[];
}

async function listPath(source: string, beforeMs: number): Promise<Listed> {
  const path = resolve(source);
  if (!(await stat(path)).isDirectory()) return { paths: [path], folders: [dirname(path)], unused: [] };
  const names = (await readdir(path)).filter((name) => !isLeftAlone(name));
  const others = names.filter((name) => !isServiceFile(name)).map((name) => whyUnused(join(path, name), beforeMs));
  return {
    paths: names.filter(isServiceFile).map((name) => join(path, name)),
    folders: [path],
    unused: (await Promise.all(others)).filter((problem) => problem !== null),
  };
}

/** What to say of something in a folder of service files that is none. */
async function whyUnused(path: string, beforeMs: number): Promise<Problem | null> {
  try {
    const stats = await stat(path);
    // Rounded down, so that a file of this very millisecond counts as older.
    if (Math.floor(stats.ctimeMs) > beforeMs) return null;
    if (stats.isDirectory())
      return problemOf(
        path,
        "Cannot use the folder: service files are not looked for in folders within; name it in `services` of watson.yaml",
      );
    return problemOf(
      path,
      "Cannot use the file: its name ends with neither .yaml nor .yml nor .json; rename it, or put .disabled behind its name",
    );
  } catch {
    return null; // it has just gone
  }
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
  const folders = [folder === "" ? "/" : folder, ...new Set(paths.map((path) => dirname(path)))];
  const none = "Cannot find a service file: nothing fits the pattern";
  return { paths, folders, unused: paths.length === 0 ? [problemOf(source, none)] : [] };
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

/** Whether there is nothing in a file yet, by its stamp. */
export function isEmptyFile(stamp: string): boolean {
  return /^\S+ \S+ 0 /.test(stamp);
}

function stampOfStats({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
