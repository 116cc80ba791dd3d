import { ConfigError, formatProblem } from "../config/problem.ts";
import { describeError } from "../errors/describe-error.ts";
import { type ExitCode, ExitError, exitCodes } from "../errors/exit-codes.ts";
import type { ProcessLike } from "./daemon-process.ts";

// Separate from daemon.ts, so that a command that is not a daemon does not load what daemons log with.
/** Prints an error the way every program does, and returns its exit code. */
export function tell(
  error: unknown,
  { name, process }: { readonly name: string; readonly process: Pick<ProcessLike, "stderr"> },
): ExitCode {
  if (error instanceof ConfigError)
    process.stderr(error.problems.map((problem) => `${formatProblem(problem)}\n`).join(""));
  else process.stderr(`${name}: ${describeError(error)}\n`);
  return error instanceof ExitError ? error.exitCode : exitCodes.failed;
}
