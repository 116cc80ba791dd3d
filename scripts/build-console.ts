import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { digestOfSources, isStarted, readOrEmpty } from "./build-sources.ts";

const ROOT = join(import.meta.dirname, "..");
const CONSOLE = join(ROOT, "packages/mission-control");
const DIST = join(CONSOLE, "dist");
const INDEX = join(DIST, "index.html");
/** Which sources `dist` was made of. */
const STAMP = join(ROOT, ".cache/mission-control");

const SOURCES = [
  "packages/mission-control/{src,styles}/**/*.{ts,tsx,css}",
  "packages/mission-control/index.html",
  "packages/{api,protocol}/src/**/*.ts",
  "pnpm-lock.yaml",
  "scripts/build-console.ts",
];

/** In the order of the cascade. */
const STYLES = ["tokens", "base", "frame", "parts", "screens"];

/** Of all JavaScript that the page loads at first, compressed. */
const GZIP_BYTES_MAX = 250_000;

/**
 * Builds Mission Control into `packages/mission-control/dist`: the page, and its script and style with a hash of their
 * content in their names. Does nothing where that is there already and its sources are the same. A directory that serves
 * it meanwhile finds every file at any moment: the new ones are there before the page that names them.
 * @returns whether it built
 */
export async function buildConsole(): Promise<boolean> {
  const wanted = digestOfSources(SOURCES);
  if (readOrEmpty(STAMP) === wanted && readOrEmpty(INDEX) !== "") return false;
  const bundle = await rolldown({
    input: join(CONSOLE, "src/main.ts"),
    tsconfig: join(CONSOLE, "tsconfig.json"),
    platform: "browser",
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("production") } },
  });
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
  await bundle.close();
  const [{ code }] = output;
  const bytes = gzipSync(code).length;
  if (bytes > GZIP_BYTES_MAX)
    throw new Error(`Cannot build Mission Control: ${bytes} bytes of JavaScript, wanted ${GZIP_BYTES_MAX} at most`);
  const css = STYLES.map((name) => readFileSync(join(CONSOLE, `styles/${name}.css`), "utf8")).join("\n");
  mkdirSync(join(DIST, "assets"), { recursive: true });
  const page = readFileSync(join(CONSOLE, "index.html"), "utf8")
    .replace("assets/console.css", writeAsset("css", css))
    .replace("assets/console.js", writeAsset("js", code));
  const before = readOrEmpty(INDEX);
  replaceFile(INDEX, page);
  // A directory that runs may still be reading what the last page names; what only older ones named goes.
  for (const name of readdirSync(join(DIST, "assets")))
    if (!page.includes(name) && !before.includes(name)) rmSync(join(DIST, "assets", name), { force: true });
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, wanted);
  return true;
}

/** @returns where the page finds it */
function writeAsset(kind: "css" | "js", text: string): string {
  const name = `assets/console-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.${kind}`;
  replaceFile(join(DIST, name), text);
  return name;
}

/** Writes a file aside and then puts it in its place: who reads meanwhile finds the old one or the new one, whole. */
function replaceFile(path: string, text: string): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, text);
  renameSync(aside, path);
}

if (isStarted(import.meta.filename)) await buildConsole();
