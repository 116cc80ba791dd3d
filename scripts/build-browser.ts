import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { digestOfSources, isStarted, readOrEmpty } from "./build-sources.ts";

const ROOT = join(import.meta.dirname, "..");
const MICROSERVER = join(ROOT, "packages/microserver");
const DIST = join(MICROSERVER, "dist");
/** Which sources `dist` was made of. */
const STAMP = join(ROOT, ".cache/browser-library");
const SOURCES = [
  "packages/{microserver,amqp,protocol}/src/**/*.ts",
  "packages/microserver/browser/*",
  "packages/runtime/src/time/*.ts",
  "pnpm-lock.yaml",
  "scripts/build-browser.ts",
];
/** What is served as it is. */
const FILES = ["datawire.d.ts", "datawire.css"];

/** Of the library, compressed (section 8 of the design of messages). */
const GZIP_BYTES_MAX = 40_000;

/**
 * Builds what routers serve to browsers into `packages/microserver/dist`: the library, its types and the style of pages.
 * Does nothing where that is there already and its sources are the same. A router that serves it meanwhile finds every
 * file whole.
 * @returns whether it built
 */
export async function buildBrowser(): Promise<boolean> {
  const wanted = digestOfSources(SOURCES);
  if (readOrEmpty(STAMP) === wanted && readOrEmpty(join(DIST, "datawire.js")) !== "") return false;
  const code = await bundleLibrary();
  const bytes = gzipSync(code).length;
  if (bytes > GZIP_BYTES_MAX)
    throw new Error(`Cannot build the browser library: ${bytes} bytes compressed, wanted ${GZIP_BYTES_MAX} at most`);
  mkdirSync(DIST, { recursive: true });
  const aside = (name: string): string => join(DIST, `${name}.${process.pid}`);
  writeFileSync(aside("datawire.js"), code);
  for (const name of FILES) copyFileSync(join(MICROSERVER, "browser", name), aside(name));
  for (const name of ["datawire.js", ...FILES]) renameSync(aside(name), join(DIST, name));
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, wanted);
  return true;
}

/** The library as one module without imports. */
async function bundleLibrary(): Promise<string> {
  const bundle = await rolldown({
    input: join(MICROSERVER, "src/browser/index.ts"),
    platform: "browser",
    tsconfig: false,
    // What programs need of `runtime`, such as their command lines, no page does.
    treeshake: { moduleSideEffects: false },
    onLog: (level, log, handle) => handle(log.code === "UNRESOLVED_IMPORT" ? "error" : level, log),
  });
  try {
    const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
    const [{ code, imports }] = output;
    if (imports.length > 0) throw new Error(`Cannot build the browser library: it imports ${imports.join(", ")}`);
    return `// The browser library of Datawire dstack: types at datawire.d.ts\n${code}`;
  } finally {
    await bundle.close();
  }
}

if (isStarted(import.meta.filename)) await buildBrowser();
