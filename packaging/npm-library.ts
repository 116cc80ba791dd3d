import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { capture } from "./command.ts";
import type { BuildContext } from "./context.ts";
import { ROOT } from "./source.ts";
import { describeLicences } from "./third-party.ts";
import { levelTree } from "./tree.ts";

const SOURCE = join(ROOT, "packages/mdk");

/** What is used of the manifest of `packages/mdk`. */
interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly engines: unknown;
  readonly exports: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: unknown;
}

/** Builds the tarball of the npm package `@datawire/mdk`: one module for each entry, with its types. */
export async function buildNpmLibrary(version: string, context: BuildContext): Promise<string> {
  const root = join(context.work, "npm-library");
  await mkdir(root, { recursive: true });
  const { exports, ...manifest } = JSON.parse(await readFile(join(SOURCE, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(exports).map(([path, file]) => ({ path, file, name: nameOf(path) }));
  const used = await bundle(entries, { external: Object.keys(manifest.peerDependencies), folder: join(root, "lib") });
  await writeTypes(join(root, "types"), context.work);
  const { name, description, license, type, engines, peerDependencies, peerDependenciesMeta } = manifest;
  const settings = {
    name,
    version,
    description,
    license,
    type,
    engines,
    exports: Object.fromEntries(
      entries.map((entry) => [
        entry.path,
        {
          types: `./types/packages/mdk/${entry.file.replace(/^\.\//, "").replace(/\.ts$/, ".d.ts")}`,
          default: `./lib/${entry.name}.js`,
        },
      ]),
    ),
    files: ["lib", "types"],
    peerDependencies,
    peerDependenciesMeta,
  };
  await writeFile(join(root, "package.json"), `${JSON.stringify(settings, null, 2)}\n`);
  await cp(join(ROOT, "docs/mdk.md"), join(root, "README.md"));
  await writeFile(join(root, "LICENSE"), await describeLicences(used));
  await levelTree(root, context.epoch);
  const args = ["pack", root, "--silent", "--ignore-scripts", "--pack-destination", context.work];
  const file = (await capture("npm", args)).split("\n").at(-1) ?? "";
  await cp(join(context.work, file), join(context.out, file));
  return join(context.out, file);
}

const nameOf = (path: string): string => (path === "." ? "index" : path.slice(2));

async function bundle(
  entries: readonly { readonly file: string; readonly name: string }[],
  { external, folder }: { readonly external: readonly string[]; readonly folder: string },
): Promise<ReadonlySet<string>> {
  const build = await rolldown({
    input: Object.fromEntries(entries.map(({ name, file }) => [name, join(SOURCE, file)])),
    platform: "node",
    tsconfig: false,
    // Others bring their own of what the application may have.
    external: (id, importer) => external.includes(id) && importer?.startsWith(SOURCE) === true,
    // What programs need of `runtime`, such as their command lines, no application does.
    treeshake: { moduleSideEffects: false },
    checks: { circularDependency: false, eval: false },
    onLog: (level, log, handle) => handle(log.code === "UNRESOLVED_IMPORT" ? "error" : level, log),
  });
  try {
    const { output } = await build.write({
      dir: folder,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
    });
    const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
    return new Set(modules.flatMap((module) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0] ?? []));
  } finally {
    await build.close();
  }
}

/** The declarations of the library and of what it is made of, which name each other by their places. */
async function writeTypes(folder: string, work: string): Promise<void> {
  const config = join(work, "tsconfig.library.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    incremental: false,
    rootDir: ROOT,
    outDir: folder,
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  const exclude = [join(SOURCE, "src/**/*.test.ts"), join(SOURCE, "src/testing")];
  const settings = { extends: join(ROOT, "tsconfig.json"), compilerOptions, include: [join(SOURCE, "src")], exclude };
  await writeFile(config, JSON.stringify(settings));
  await capture(join(ROOT, "node_modules/.bin/tsc"), ["-p", config]);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, "utf8");
    const placed = text
      .replaceAll(/"@datawire\/(\w+)"/g, (_, name: string) => placeOf(file, folder, `${name}/src/index.js`))
      .replaceAll(/"@datawire\/link\/client"/g, () => placeOf(file, folder, "link/src/client/index.js"));
    if (placed !== text) await writeFile(file, placed);
  }
}

function placeOf(file: string, folder: string, module: string): string {
  const path = relative(dirname(file), join(folder, "packages", module));
  return JSON.stringify(path.startsWith(".") ? path : `./${path}`);
}
