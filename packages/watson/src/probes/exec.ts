import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { environmentOfOthers } from "../model/environment.ts";
import type { Probe } from "../model/belief.ts";
import type { ExecProbe } from "../model/service-definition.ts";
import { explainSystemError } from "@datawire/runtime";
import { PASS } from "./expectation.ts";
import type { Prober, ProberDeps } from "./prober.ts";

/** What is kept of a program's output; the rest is read and dropped, so that it never waits for a reader. */
const OUTPUT_BYTES_MAX = 4 * 1024;
/** How long after its end the rest of its output is waited for. */
const OUTPUT_MS_MAX = 100;
/** How much of its last line becomes part of the reason. */
const LINE_LENGTH_MAX = 200;

/**
 * Makes the prober that runs a program and passes when it ends with 0. No shell reads the command. The program leads a
 * process group of its own, so that at the time-out it is killed with all that it started.
 */
export function createExecProber({ command: [program, ...args] }: ExecProbe, { env }: Pick<ProberDeps, "env">): Prober {
  const own = environmentOfOthers(env);
  return {
    probe: (signal) =>
      new Promise((resolve) => {
        const child = spawn(program, args, { cwd: "/", env: own, detached: true, stdio: ["ignore", "pipe", "pipe"] });
        const output = new OutputTail();
        // Without a free file descriptor there are none, whatever their type says, and "error" follows.
        const pipes: readonly (Readable | undefined)[] = [child.stdout, child.stderr];
        for (const pipe of pipes) pipe?.on("data", (chunk: Buffer) => output.add(chunk));
        const abort = (): void => killGroup(child);
        signal.addEventListener("abort", abort, { once: true });
        const end = (probe: Probe): void => {
          signal.removeEventListener("abort", abort);
          resolve(probe);
        };
        child.once("error", (cause) =>
          end({ ok: false, reason: `cannot run ${program}: ${explainSystemError(cause)}` }),
        );
        child.once("exit", (code, killedBy) => {
          const report = (): void => {
            clearTimeout(overdue);
            for (const pipe of pipes) pipe?.destroy();
            if (code === 0) return end(PASS);
            const how = code === null ? `killed by ${killedBy}` : `exit code ${code}`;
            end({ ok: false, reason: `${how} from ${program}${output.lastLine()}` });
          };
          // "close" comes when the output has been read, and never if the program left a child that holds it open.
          const overdue = setTimeout(report, OUTPUT_MS_MAX);
          child.once("close", report);
        });
      }),
    close() {},
  };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

/** The end of what a program wrote. */
class OutputTail {
  #text = "";

  add(chunk: Buffer): void {
    this.#text = (this.#text + chunk.toString("utf8")).slice(-OUTPUT_BYTES_MAX);
  }

  lastLine(): string {
    const line = this.#text.trimEnd().split("\n").at(-1)?.trim() ?? "";
    return line === "" ? "" : `: ${line.slice(0, LINE_LENGTH_MAX)}`;
  }
}
