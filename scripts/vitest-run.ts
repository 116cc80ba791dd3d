import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, printHeading, printStep } from "./step.ts";

/** How the tests of a project are run. */
export interface VitestOptions {
  /** Added to the environment; by default nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** The files to run; by default all. */
  readonly paths?: readonly string[];
  /** Whether they run beside others, which are shown as they go: then these are shown together, once all have run. */
  readonly beside?: boolean;
}

/** Runs the tests of one project of vitest.config.ts. */
export async function runVitest(
  project: string,
  { env = {}, paths = [], beside = false }: VitestOptions = {},
): Promise<Outcome> {
  if (!beside) printHeading(`${project} tests`);
  const folder = await mkdtemp(join(tmpdir(), "dstack-test-"));
  try {
    const report = join(folder, "report.json");
    const startedAt = performance.now();
    const { code, output } = await runToEnd(
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
      { env, beside },
    );
    if (beside) printHeading(`${project} tests`);
    process.stdout.write(output);
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

interface Ended {
  readonly code: number | null;
  /** What was not shown as it came. */
  readonly output: string;
}

function runToEnd(
  args: readonly string[],
  { env, beside }: { readonly env: NonNullable<VitestOptions["env"]>; readonly beside: boolean },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const shown = beside ? "pipe" : "inherit";
    const child = spawn("vitest", args, { stdio: ["ignore", shown, shown], env: { ...process.env, ...env } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

async function readReport(path: string): Promise<Report | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch {
    return null; // no tests, or vitest did not come to write it
  }
}
