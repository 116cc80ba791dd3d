import { createHash } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { capture } from "./command.ts";
import type { Package } from "./package.ts";
import type { BuildContext } from "./context.ts";
import { levelTree, readInstalled, treeBytes, writeTree } from "./tree.ts";

/** Builds the .deb of a package; gives its path. */
export async function buildDeb(pkg: Package, { work, out, epoch, zstdLevel }: BuildContext): Promise<string> {
  const architecture = pkg.architecture === "all" ? "all" : DEB_ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`Cannot package Node for ${process.arch}: wanted x64 or arm64`);
  const root = join(work, `${pkg.name}.deb.d`);
  const paths = await writeTree(pkg, root);

  const control = join(root, "DEBIAN");
  await mkdir(control);
  const settings = pkg.files.filter(({ setting }) => setting).map(({ path }) => path);
  const files = {
    control: controlFile(pkg, { architecture, kilobytes: Math.ceil((await treeBytes(root, paths)) / 1024) }),
    ...(settings.length === 0 ? {} : { conffiles: lines(settings) }),
    md5sums: lines(await Promise.all(paths.filter((path) => !settings.includes(path)).map((path) => sum(root, path)))),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(control, name), text, { mode: 0o644 });
  for (const [name, body] of Object.entries(maintainerCases)) {
    const script = join(control, name);
    await writeFile(script, `#!/bin/sh\nset -e\n\n${pkg.script}\n${body}`);
    await chmod(script, 0o755);
  }

  await levelTree(root, epoch);
  const file = join(out, `${pkg.name}_${pkg.version}_${architecture}.deb`);
  await capture("dpkg-deb", ["--root-owner-group", "-Zzstd", `-z${zstdLevel}`, "--build", root, file], {
    SOURCE_DATE_EPOCH: String(epoch),
  });
  return file;
}

const DEB_ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** When the functions of a package's script run (Debian policy, chapter 6). */
const maintainerCases = {
  postinst: `case $1 in\n  configure | abort-remove) configured "$2" ;;\nesac\n`,
  prerm: `case $1 in\n  remove | deconfigure) removing ;;\nesac\n`,
  postrm: `case $1 in\n  remove) removed ;;\n  purge) purged ;;\nesac\n`,
};

function controlFile(
  { name, version, summary, needs }: Package,
  { architecture, kilobytes }: { readonly architecture: string; readonly kilobytes: number },
): string {
  return lines([
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Maintainer: The Datawire dstack authors <dstack@localhost>",
    "Section: net",
    "Priority: optional",
    `Installed-Size: ${kilobytes}`,
    `Depends: ${needs.deb.join(", ")}`,
    `Description: ${summary}`,
    " Part of Datawire dstack: reach a live instance of a service at localhost,",
    " wherever it runs and whichever version it should get.",
  ]);
}

async function sum(root: string, path: string): Promise<string> {
  const digest = createHash("md5")
    .update(await readInstalled(root, path))
    .digest("hex");
  return `${digest}  ${path.slice(1)}`;
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
