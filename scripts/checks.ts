import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { type Outcome, printHeading, printStep } from "./step.ts";

const folders = ["packages", "scripts", "examples", "e2e", "bench", "packaging"].filter((folder) => existsSync(folder));

/** What each check runs; all of them only read, but for what they keep in `.cache`. */
const checks: Readonly<Record<string, readonly [string, ...string[]]>> = {
  format: ["oxfmt", "--check"],
  // All that tsc says, of each file by the tsconfig.json nearest to it: the types are there for the rules that know them,
  // and tsc worked them out a second time, for a third of the CPU of all checks.
  "lint, types": ["oxlint", "--type-check", "--deny-warnings"],
  imports: ["depcruise", "--output-type", "err", ...folders],
  keys: ["node", "scripts/key-check.ts"],
  house: ["node", "scripts/house-check.ts"],
  "dead code": ["knip", "--no-config-hints", "--no-progress", "--cache", "--cache-location", ".cache/knip"],
};

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * For what is written in Go: the checker of types keeps nearly all that it makes, so that collecting garbage was a fourth
 * of its CPU (28 s without, 39 s with). It begins where the checker takes a fifth more than it keeps.
 */
const GO = { GOGC: "off", GOMEMLIMIT: "4GiB" };

/** Runs all checks at once and prints the output of those that fail. */
export async function runChecks(): Promise<Outcome> {
  printHeading("checks");
  const results = await Promise.all(Object.entries(checks).map(([name, command]) => runCheck(name, command)));
  const passed = results.filter((ok) => ok).length;
  return { passed, failed: results.length - passed };
}

function runCheck(name: string, [command, ...args]: readonly [string, ...string[]]): Promise<boolean> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { maxBuffer: OUTPUT_BYTES_MAX, env: { ...GO, ...process.env } },
      (error, stdout, stderr) => {
        printStep(name, performance.now() - startedAt, error === null);
        if (error !== null) console.log(`${stdout}${stderr}`.trimEnd() || error.message);
        resolve(error === null);
      },
    );
  });
}
