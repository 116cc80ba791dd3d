import { execFile } from "node:child_process";

/** How a program ended, and what it said. */
export interface Ran {
  /** Whether it ended with 0. */
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** As a clause; "" where it ended with 0. */
  readonly how: string;
  /** Why it could not be started; undefined where it was. */
  readonly cause?: Error;
}

/** HAProxy says a few hundred bytes of each line that it does not like. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Runs a program to its end, without a shell, and kills it after so many milliseconds; never rejects. Not by a library,
 * as all that is asked of one is this, and what Sherlock loads stays in the memory of every machine.
 */
export function runProgram(path: string, args: readonly string[], msMax: number): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { timeout: msMax, killSignal: "SIGKILL", maxBuffer: OUTPUT_BYTES_MAX } as const;
    const child = execFile(path, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ ok: true, stdout, stderr, how: "" });
      const { code, signal } = error;
      const started = child.pid !== undefined;
      if (!started) return resolve({ ok: false, stdout, stderr, how: "cannot be run", cause: error });
      if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
        return resolve({ ok: false, stdout, stderr, how: `said more than ${OUTPUT_BYTES_MAX} bytes` });
      const how = error.killed ? `did not end within ${msMax} ms` : `ended with ${signal ?? code ?? "no exit code"}`;
      resolve({ ok: false, stdout, stderr, how });
    });
  });
}
