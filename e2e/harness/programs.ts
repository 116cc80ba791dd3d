import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundleProgram, programs } from "../../packaging/bundle.ts";
import { buildBrowser } from "../../scripts/build-browser.ts";
import { buildConsole } from "../../scripts/build-console.ts";

/**
 * The programs as the packages have them, made once for a whole run of the end-to-end tests: one of them starts in half
 * of the time that it takes from its sources, and they are started a thousand times. Global set-up of vitest.
 */
export default async function setup({ config }: TestProject): Promise<() => Promise<void>> {
  const folder = config.env["DSTACK_PROGRAMS"];
  if (folder === undefined) throw new Error("Cannot make the programs: DSTACK_PROGRAMS, their folder, is not set");
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await buildConsole();
    await buildBrowser();
    await Promise.all(programs.map((program) => bundleProgram(program, join(folder, program))));
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
