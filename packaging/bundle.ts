import { cp, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type CodeSplittingGroup, type OutputOptions, rolldown } from "rolldown";
import { minify } from "rolldown/utils";
import { precompileTemplate } from "@datawire/sherlock";
import { buildBrowser } from "../scripts/build-browser.ts";
import { buildConsole } from "../scripts/build-console.ts";
import { builtins, RARE_IN_COMMANDS } from "./builtins.ts";
import { escapeBeyondAscii, plainText } from "./plain-text.ts";
import { ROOT } from "./source.ts";
import { DW_PARTS, partsOf } from "./parts.ts";

export type Program = "agent" | "directory" | "watson" | "sherlock" | "router" | "dw";
export const programs: readonly Program[] = ["agent", "directory", "watson", "sherlock", "router", "dw"];

/** Many programs are called `agent`; the others' names stand in the contract. */
export const commandOf = (program: Program): string => (program === "agent" ? "datawire-agent" : program);

/** The file that starts a bundled program. */
export const BUNDLE_MAIN = "main.js";

/** Half the size to parse at every start; names stay, as they stand in stack traces and in errors. */
const SMALL = { compress: true, mangle: false, codegen: { removeWhitespace: true } };

/**
 * Bundles a program with all that it imports into `folder`: a file for each of our packages and each large library, and
 * one more for each part that it loads only when it needs it. Gives the folders of the npm packages that went into it.
 */
export async function bundleProgram(program: Program, folder: string): Promise<ReadonlySet<string>> {
  const main = join(ROOT, "packages", program === "dw" ? "dw-cli" : program, "src/main.ts");
  const modules = await write(program, { main }, folder);
  // By itself, as a process does not share what it has loaded with its threads, and would load what only they need.
  if (hasDirectory(program)) modules.push(...(await write(program, THREADS, folder)));
  // Without a word on it, Node compiles each file once more, to find out which kind of module it is.
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  await addTemplates(folder, modules);
  await addConsole(folder, modules);
  await addBrowserLibrary(folder, modules);
  await addSamples(folder, modules);
  return new Set(modules.flatMap(packageFolder));
}

/** Bundles what the files of `input` import, each under its name, and gives the modules that went into it. */
async function write(program: Program, input: Readonly<Record<string, string>>, folder: string): Promise<string[]> {
  const build = await rolldown({
    preserveEntrySignatures: false,
    input: { ...input },
    platform: "node",
    tsconfig: false,
    plugins: [program === "dw" ? builtins(RARE_IN_COMMANDS) : builtins(), plainText],
    // Handlebars does without, as it does in browsers; it is for templates that are compiled for others to debug.
    resolve: { alias: { "source-map": false } },
    // Addons for ws that are in none of our packages.
    transform: { define: { "process.env.WS_NO_BUFFER_UTIL": "true", "process.env.WS_NO_UTF_8_VALIDATE": "true" } },
    // Libraries are made of modules with cycles and of branches for other platforms; neither is ours to mend.
    checks: { circularDependency: false, eval: false },
    // What is not there would be missed at the first start alone.
    onLog: (level, log, handle) => handle(log.code === "UNRESOLVED_IMPORT" ? "error" : level, log),
  });
  try {
    const form: OutputOptions = {
      dir: folder,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      minify: SMALL,
    };
    const isCommand = program === "dw" && input !== THREADS;
    const groups = isCommand ? partsOf((await build.generate(form)).output, DW_PARTS) : PIECES;
    const codeSplitting = { includeDependenciesRecursively: false, groups: [...groups] };
    const { output } = await build.write({ ...form, codeSplitting });
    return output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  } finally {
    await build.close();
  }
}

/** Keeps beside a bundle what `bundleProgram` gave for it: all that is in the folder itself is shipped. */
export async function writeUsed(bundle: string, used: ReadonlySet<string>): Promise<void> {
  await writeFile(usedFile(bundle), JSON.stringify([...used].map((path) => relative(ROOT, path))));
}

/** What `writeUsed` kept. */
export async function readUsed(bundle: string): Promise<ReadonlySet<string>> {
  const used = JSON.parse(await readFile(usedFile(bundle), "utf8")) as string[];
  return new Set(used.map((path) => join(ROOT, path)));
}

const usedFile = (bundle: string): string => `${bundle}.used.json`;

/** What runs in a thread of its own, by the names under which the programs look for it beside themselves. */
const THREADS = { "telemetry-thread": join(ROOT, "packages/telemetry/src/worker/thread.ts") };

/** `dw` starts a directory too. */
const hasDirectory = (program: Program): boolean => program === "directory" || program === "dw";

/** Sherlock reads its templates from a folder beside itself, wherever it is bundled into; compiled, as no start has to do it then. */
async function addTemplates(folder: string, modules: readonly string[]): Promise<void> {
  const templates = join(ROOT, "packages/sherlock/templates");
  if (modules.some((module) => module.startsWith(join(ROOT, "packages/sherlock/src/setup/template")))) {
    await cp(templates, join(folder, "templates"), { recursive: true, filter: (path) => !path.includes("golden") });
    const { code } = await minify("compiled.js", await precompileTemplate(), { module: true, ...SMALL });
    await writeFile(join(folder, "templates/compiled.js"), escapeBeyondAscii(code));
  }
}

/** Once, however many programs have a directory in them: they are bundled at the same time. */
let built: Promise<boolean> | undefined;

/** A directory reads its console from a folder beside itself, wherever it is bundled into. */
async function addConsole(folder: string, modules: readonly string[]): Promise<void> {
  if (!modules.some((module) => module.startsWith(join(ROOT, "packages/directory/src/console/find-console")))) return;
  await (built ??= buildConsole());
  await cp(join(ROOT, "packages/mission-control/dist"), join(folder, "console"), { recursive: true });
}

/** A router reads what it serves to browsers from a folder beside itself, wherever it is bundled into. */
async function addBrowserLibrary(folder: string, modules: readonly string[]): Promise<void> {
  if (!modules.some((module) => module.startsWith(join(ROOT, "packages/router/src/web/find-library")))) return;
  await buildBrowser();
  await cp(join(ROOT, "packages/microserver/dist"), join(folder, "browser"), { recursive: true });
}

/** `dw` lays samples from a folder beside itself. */
async function addSamples(folder: string, modules: readonly string[]): Promise<void> {
  if (!modules.some((module) => module.startsWith(join(ROOT, "packages/dw-cli/src/io/samples")))) return;
  for (const name of ["microlog", "microchat"])
    await cp(join(ROOT, "examples", name), join(folder, "samples", name), { recursive: true });
}

/** Libraries large enough to have a file of their own. */
const LARGE = ["commander", "handlebars", "ws", "yaml", "zod"];

/** The file in which a module stands that a program loads as it starts; null for one that begins a thread or the program. */
function pieceOf(module: string): string | null {
  const [, library] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module) ?? [];
  if (library !== undefined) return LARGE.find((name) => library === name) ?? "libraries";
  if (module.endsWith("/src/main.ts") || Object.values(THREADS).includes(module)) return null;
  // What makes little of the heap comes before all that fills it.
  return module.includes("/small-") ? "node" : (/\/packages\/([^/]+)\/src\//.exec(module)?.[1] ?? null);
}

/**
 * The files of a bundle. What V8 needs while it reads one is five times its length, and stays with the process, as the
 * allocator gives little back: one of a megabyte costs more than ten of a tenth of it.
 */
const PIECES: CodeSplittingGroup[] = [
  { name: "node", test: /^\0(?:rare|whole|names):/ },
  { name: pieceOf, debugName: "piece", tags: ["$initial"] },
];

/** `…/node_modules/ws` of `…/node_modules/ws/lib/sender.js`; nothing for our own sources. */
function packageFolder(module: string): string[] {
  if (module.startsWith("\0")) return []; // one that stands for another
  const match = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module);
  return match === null ? [] : [match[0]];
}
