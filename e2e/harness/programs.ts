import { join } from "node:path";
import { type Program, BUNDLE_MAIN } from "../../packaging/bundle.ts";
import { buildBrowser } from "../../scripts/build-browser.ts";
import { buildConsole } from "../../scripts/build-console.ts";
import { buildPrograms } from "../../scripts/build-programs.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The commands of the checkout, for a PATH. */
export const BIN = join(ROOT, "build/bin");

/**
 * The file of a program: in a run of the tests as the packages have it, which takes a quarter of the time to start, and
 * they are started a thousand times; elsewhere from its sources, as a bench must not measure what was built before.
 */
export function programFile(name: Program): string {
  const built = process.env["DSTACK_PROGRAMS"];
  return built === undefined
    ? join(ROOT, "packages", name === "dw" ? "dw-cli" : name, "src/main.ts")
    : join(built, name, BUNDLE_MAIN);
}

/** Builds what a run of end-to-end tests starts and serves. Global set-up of vitest. */
export default async function setup(): Promise<void> {
  await buildConsole();
  await buildBrowser();
  await buildPrograms();
}
