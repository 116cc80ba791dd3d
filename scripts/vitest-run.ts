import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, printHeading, printStep } from "./step.ts";

/** Runs the tests of one project of vitest.config.ts, all or those of some paths, showing them as they go. */
export async function runVitest(
  project: string,
  env: Readonly<Record<string, string>> = {},
  paths: readonly string[] = [],
): Promise<Outcome> {
  printHeading(`${project} tests`);
  const folder = await mkdtemp(join(tmpdir(), "dstack-test-"));
  try {
    const report = join(folder, "report.json");
    const startedAt = performance.now();
    const code = await runToEnd(
      [
        "run",
        "--project",
        project,
        "--passWithNoTests",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        ...paths,
      ],
      env,
    );
    const outcome = outcomeOf(await readReport(report), code);
    printStep(`${project} tests`, performance.now() - startedAt, outcome.failed === 0);
    return outcome;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** A file that cannot even be loaded, or an error outside of any test, fails the run with no failed test: count it as one. */
export function outcomeOf(report: Report | null, code: number | null): Outcome {
  const passed = report?.numPassedTests ?? 0;
  const failed = report?.numFailedTests ?? 0;
  return { passed, failed: code === 0 ? failed : Math.max(1, failed) };
}

function runToEnd(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("vitest", args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
    child.once("error", reject);
    child.once("close", resolve);
  });
}

async function readReport(path: string): Promise<Report | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch {
    return null; // no tests, or vitest did not come to write it
  }
}
