import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manPages } from "../scripts/reference/man.ts";
import { commandOf, programs } from "./bundle.ts";
import { capture } from "./command.ts";
import type { Parts } from "./contents.ts";
import type { BuildContext } from "./context.ts";
import { ROOT } from "./source.ts";
import { levelTree } from "./tree.ts";

interface NpmParts {
  readonly version: string;
  readonly bundles: Parts["bundles"];
  readonly licences: string;
}

/** Builds the tarball of the npm package `dstack`: the bundles of all programs, and launchers that pick the Node. */
export async function buildNpmPackage(
  { version, bundles, licences }: NpmParts,
  context: BuildContext,
): Promise<string> {
  const root = join(context.work, "npm");
  for (const folder of ["bin", "man"]) await mkdir(join(root, folder), { recursive: true });
  const launcher = await readFile(join(ROOT, "packaging/npm/launcher.sh"), "utf8");
  for (const program of programs) {
    const file = join(root, "bin", commandOf(program));
    await writeFile(file, launcher.replaceAll("@PROGRAM@", program));
    await chmod(file, 0o755);
    await cp(bundles[program], join(root, "lib", program), { recursive: true });
  }
  const pages = manPages({ version });
  for (const { file, text } of pages) await writeFile(join(root, "man", file), text);
  await cp(join(ROOT, "docs/install.md"), join(root, "README.md"));
  await writeFile(join(root, "LICENSE"), licences);
  const settings = { ...(await manifest(version)), man: pages.map(({ file }) => `man/${file}`) };
  await writeFile(join(root, "package.json"), `${JSON.stringify(settings, null, 2)}\n`);
  await levelTree(root, context.epoch);

  const packed = await capture("npm", [
    "pack",
    root,
    "--silent",
    "--ignore-scripts",
    "--pack-destination",
    context.work,
  ]);
  const name = packed.split("\n").at(-1) ?? "";
  await cp(join(context.work, name), join(context.out, name));
  return join(context.out, name);
}

async function manifest(version: string): Promise<Readonly<Record<string, unknown>>> {
  const root = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly description: string;
    readonly license: string;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  return {
    name: "dstack",
    version,
    description: root.description,
    license: root.license,
    type: "module",
    bin: Object.fromEntries(programs.map((program) => [commandOf(program), `bin/${commandOf(program)}`])),
    files: ["bin", "lib", "man"],
    // Not "engines": the launcher brings the Node that is wanted, or says which.
    optionalDependencies: root.optionalDependencies,
  };
}
