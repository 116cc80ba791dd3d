import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./source.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The licence of this project, followed by those of the npm packages in `folders`. */
export async function describeLicences(folders: Iterable<string>): Promise<string> {
  const own = await readFile(join(ROOT, "LICENSE"), "utf8");
  const others = await Promise.all([...folders].map(describeLicence));
  const sections = [`Datawire dstack\n\n${own}`, ...new Set(others.toSorted())];
  return sections.map((section) => section.trimEnd()).join(`\n\n${"-".repeat(78)}\n\n`) + "\n";
}

async function describeLicence(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  const file = (await readdir(folder)).toSorted().find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
  const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
  return `${name} ${version} (${license ?? "see below"})\n\n${text}`;
}
