import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Runs a program to its end and gives what it printed; throws with what it said when it failed. */
export function capture(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: OUTPUT_BYTES_MAX };
    execFile(program, args, options, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout.trim());
      else reject(new Error(`Cannot run ${program} ${args[0] ?? ""}: ${stderr.trim() || cause.message}`, { cause }));
    });
  });
}

/** Whether a program is on the PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // It may be in the next one.
    }
  }
  return false;
}
