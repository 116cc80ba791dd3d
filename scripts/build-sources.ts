import { createHash } from "node:crypto";
import { globSync, readFileSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/**
 * What tells whether the sources of a build are those that it was made of: a SHA-256 of their names and contents, in hex.
 * Tests are none of them, and this file is one.
 * @param patterns of files, below the root of the repository.
 */
export function digestOfSources(patterns: readonly string[]): string {
  const hash = createHash("sha256");
  const paths = [...patterns, relative(ROOT, import.meta.filename)]
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  for (const path of [...new Set(paths)].toSorted()) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest("hex");
}

/** The text of a file, and nothing where it cannot be read. */
export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Whether a module is what Node was started with: Node 22 does not tell by `import.meta.main` yet. */
export function isStarted(filename: string): boolean {
  const [, started] = process.argv;
  return started !== undefined && realpathSync(started) === filename;
}
