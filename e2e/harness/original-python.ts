import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where what is installed once stays for the next run. */
const CACHE = join(import.meta.dirname, "../../node_modules/.cache/original-mdk");
/** The client of the original MDK, as its registry has it, and what the example needs beside it. */
const NEEDED = join(import.meta.dirname, "../../examples/original-mdk/requirements.txt");
/** The last Python that runs it, and those before it. */
const RUNS_IT = "import sys; sys.exit(0 if (3, 4) <= sys.version_info[:2] <= (3, 6) else 1)";
const PROBE_MS_MAX = 20_000;
const INSTALL_MS_MAX = 240_000;

/** A Python that has the original MDK. */
export interface OriginalPython {
  readonly program: string;
  /** What it finds the client by. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds a Python that runs the original MDK, and installs the client where it is not installed yet.
 * @returns a reason where there is none.
 */
export async function findOriginalPython(): Promise<OriginalPython | string> {
  const candidates = [
    process.env["DSTACK_MDK_PYTHON"] ?? [],
    ...["3.6", "3.5", "3.4"].map((version) => `python${version}`),
    ...["3.6", "3.5", "3.4"].flatMap((version) => globSync(join(homedir(), `.pyenv/versions/${version}.*/bin/python`))),
  ].flat();
  for (const program of candidates) {
    if (!(await succeeds(program, ["-c", RUNS_IT], PROBE_MS_MAX))) continue;
    const env = { PYTHONPATH: CACHE };
    const has = (): Promise<boolean> => succeeds(program, ["-c", "import mdk.flask"], PROBE_MS_MAX, env);
    const install = ["-m", "pip", "install", "--quiet", "--target", CACHE, "-r", NEEDED];
    if ((await has()) || ((await succeeds(program, install, INSTALL_MS_MAX)) && (await has()))) return { program, env };
    return `${program} cannot install ${NEEDED}`;
  }
  return "there is no Python 3.4 to 3.6 here";
}

async function succeeds(
  program: string,
  args: readonly string[],
  timeout: number,
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  try {
    await run(program, [...args], { timeout, env: { ...process.env, ...env } });
    return true;
  } catch {
    return false;
  }
}
