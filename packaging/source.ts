import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { capture } from "./command.ts";

/** The folder of the checkout. */
export const ROOT = join(import.meta.dirname, "..");

/** The version of every package: that of the root's package.json. */
export async function sourceVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
}

/**
 * The moment, in seconds, that every file of a package carries, so that equal sources give equal packages:
 * SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else the last commit, else the beginning of time.
 */
export async function sourceEpoch(): Promise<number> {
  const given = Number(process.env["SOURCE_DATE_EPOCH"]);
  if (given > 0) return given;
  try {
    return Number(await capture("git", ["-C", ROOT, "log", "-1", "--format=%ct"]));
  } catch {
    return 0; // an unpacked archive has no history
  }
}
