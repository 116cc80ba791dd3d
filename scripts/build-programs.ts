import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { BUNDLE_MAIN, bundleProgram, commandOf, type Program, programs, writeUsed } from "../packaging/bundle.ts";
import { digestOfSources, isStarted } from "./build-sources.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILD = join(ROOT, "build");
const BIN = join(BUILD, "bin");
/** Where the programs are, a folder for each: a link to what was built last. */
export const LIB = join(BUILD, "lib");

/** What the programs are made of, and what makes them. */
const SOURCES = [
  "packages/*/{src,styles,templates,browser}/**/*",
  "packages/mission-control/index.html",
  "examples/micro*/**/*",
  "packages/*/package.json",
  "packaging/*.ts",
  "scripts/build-*.ts",
  "pnpm-lock.yaml",
];

/**
 * Builds the programs of this checkout as the packages have them: `build/bin` has their commands and the Node they run
 * on, for a PATH. From its sources a daemon takes 0.6 to 0.8 s of CPU to start, and from here 0.1 to 0.2. Does nothing
 * where the sources are the same; who runs a program meanwhile keeps the files it was started from.
 */
export async function buildPrograms(): Promise<void> {
  const wanted = digestOfSources(SOURCES).slice(0, 12);
  const before = builtLast();
  if (before === wanted) return;
  const aside = join(BUILD, `${wanted}.${process.pid}`);
  try {
    await Promise.all(programs.map((program) => bundle(program, join(aside, program))));
    putInPlace(aside, join(BUILD, wanted));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  writeCommands();
  link(wanted, LIB);
  const kept = ["bin", "lib", wanted, before];
  for (const name of readdirSync(BUILD).filter((name) => !kept.includes(name)))
    rmSync(join(BUILD, name), { recursive: true, force: true });
}

async function bundle(program: Program, folder: string): Promise<void> {
  await writeUsed(folder, await bundleProgram(program, folder));
}

function builtLast(): string | null {
  try {
    return readlinkSync(LIB);
  } catch {
    return null;
  }
}

function putInPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error; // another run has built the same
  }
}

function writeCommands(): void {
  mkdirSync(BIN, { recursive: true });
  link(relative(BIN, realpathSync(process.execPath)), join(BIN, "node"));
  for (const program of programs) {
    const command = join(BIN, commandOf(program));
    const main = `"$build/lib/${program}/${BUNDLE_MAIN}"`;
    const script = `#!/bin/sh\nbuild=$(dirname "$(dirname "$(readlink -f "$0")")")\nexec "$build/bin/node" ${main} "$@"\n`;
    writeFileSync(`${command}.${process.pid}`, script);
    chmodSync(`${command}.${process.pid}`, 0o755);
    renameSync(`${command}.${process.pid}`, command);
  }
}

/** Makes a link, or leads it elsewhere, at one moment. */
function link(target: string, path: string): void {
  const aside = `${path}.${process.pid}`;
  rmSync(aside, { force: true });
  symlinkSync(target, aside);
  renameSync(aside, path);
}

if (isStarted(import.meta.filename)) await buildPrograms();
