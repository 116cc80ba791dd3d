import { copyFile, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { capture, isInstalled } from "./command.ts";
import type { Parts } from "./contents.ts";

/** The Node of this checkout without its symbols, in `folder`. */
export async function prepareNode(folder: string): Promise<Parts["node"]> {
  const source = await realpath(process.execPath);
  const file = join(folder, "node");
  if (await isInstalled("strip")) await capture("strip", ["-o", file, source]);
  else {
    console.error("Packaging Node with its symbols (18 MB more), as `strip` is missing: it comes with binutils");
    await copyFile(source, file);
  }
  // `bin/node` of what nodejs.org publishes, and of the npm package that repeats it.
  const licence = resolve(dirname(source), "../LICENSE");
  return { file, version: process.versions.node, licence };
}
