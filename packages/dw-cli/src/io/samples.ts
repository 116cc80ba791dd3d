import { chmod, cp, readdir, rename, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Env } from "@datawire/runtime";
import { Background } from "./background/background.ts";

/** The samples that are shipped, each a folder with a service file of its name. */
const SAMPLES: ReadonlySet<string> = new Set(["microlog", "microchat"]);

/** In a checkout, and beside the bundle of a package. */
const FOLDER = import.meta.url.endsWith(".ts") ? "../../../../examples/" : "./samples/";

const DEFAULTS = [
  ["localhost", 5430],
  ["localhost", 5672],
] as const;
const CONNECT_MS_MAX = 2_000;

/** What a sample needs to know of the rest. */
export interface SampleContext {
  readonly env: Env;
  /** Whether somebody has said where a directory or router is. */
  readonly isConfigured: boolean;
  /** Whether nothing is to be done but told. */
  readonly dryRun: boolean;
}

/**
 * Lays the folder of a shipped sample into the current one, and starts a directory and a router for it where nothing
 * answers and nothing is configured.
 * @returns what was done, a line each; null for what is no sample.
 * @throws Error where the folder cannot be written, or they cannot be started.
 */
export async function prepareSample(
  name: string,
  { env, isConfigured, dryRun }: SampleContext,
): Promise<readonly string[] | null> {
  if (!SAMPLES.has(name)) return null;
  if (dryRun) return [`it is a sample, which comes with the folder ./${name}`];
  const notes: string[] = [];
  const background = new Background(env);
  const answers = await Promise.all(DEFAULTS.map(([host, port]) => isAnswered(host, port)));
  if (!isConfigured && !answers.includes(true)) {
    await background.up();
    notes.push("started a directory and a router in the background; `dw down` ends them");
  }
  const folder = resolve(name);
  const isLaid = await lay(name, folder);
  notes.push(isLaid ? `./${name} is new: look into it` : `./${name} was there already, and is kept as it is`);
  const file = join(folder, `${name}.yaml`);
  if ((await background.running()).includes("router") && (await stat(file).catch(() => null)) !== null)
    await background.show(file);
  return notes;
}

/** Whole or not at all. @returns whether it was not there before. */
async function lay(name: string, folder: string): Promise<boolean> {
  if ((await stat(folder).catch(() => null)) !== null) return false;
  const aside = `${folder}.${process.pid}`;
  try {
    await cp(fileURLToPath(new URL(`${FOLDER}${name}`, import.meta.url)), aside, { recursive: true });
    // Packages have all files in one mode.
    for (const file of await readdir(aside)) if (file.endsWith(".py")) await chmod(join(aside, file), 0o755);
    await rename(aside, folder);
  } catch (cause) {
    await rm(aside, { recursive: true, force: true });
    throw new Error(`Cannot make the folder ./${name}`, { cause });
  }
  return true;
}

function isAnswered(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS_MAX });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}
