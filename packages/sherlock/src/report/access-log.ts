import { appendFileSync, closeSync, constants, openSync } from "node:fs";
import { type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { BackendNames } from "../haproxy/backend-names.ts";
import { LOGS_FD, LogPipe, reachesPipe } from "../haproxy/log-pipe.ts";
import type { RunDir } from "../haproxy/run-dir.ts";

interface AccessLogDeps {
  readonly dir: Pick<RunDir, "accessLog" | "accessPipe" | "sockets">;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly names: Pick<BackendNames, "own">;
}

/** What writes the access log. */
export interface AccessLog {
  /** Writes what comes until the signal aborts; then what has come. */
  run(clock: Clock, signal: AbortSignal): Promise<void>;
}

/**
 * Writes what HAProxy logs into the access log, whole lines of JSON alone. The file is opened for each write, so that
 * one that was renamed is begun anew, without a signal. Null where HAProxy writes into the file itself, as one does that
 * an older Sherlock started.
 */
export async function openAccessLog(deps: AccessLogDeps): Promise<AccessLog | null> {
  const { dir } = deps;
  if (!(await reachesPipe(dir, { path: dir.accessPipe, fd: LOGS_FD }))) return null;
  const lines = new Lines(deps);
  try {
    const pipe = await LogPipe.open(dir.accessPipe, (text) => lines.add(text));
    return {
      async run(clock, signal) {
        await pipe.run(clock, signal);
        pipe.drain();
        pipe.close();
      },
    };
  } catch (error) {
    lines.fail(error);
    return null;
  }
}

/** How each line begins: one that stands in another was cut off by a pipe that was full. */
const BEGINNING = '{"time":';
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

class Lines {
  readonly #deps: AccessLogDeps;
  /** The beginning of a line. */
  #rest = "";
  #fails = false;

  constructor(deps: AccessLogDeps) {
    this.#deps = deps;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const whole = lines.filter((line) => line.startsWith("{") && line.endsWith("}") && !line.includes(BEGINNING, 1));
    if (whole.length === 0) return;
    try {
      const { dir, names } = this.#deps;
      append(dir.accessLog, `${whole.map((line) => withOwnName(line, names.own)).join("\n")}\n`);
      if (this.#fails) this.#deps.board.set("access log", []);
      this.#fails = false;
    } catch (error) {
      this.fail(error);
    }
  }

  /** Tells it once, until it is written again. */
  fail(error: unknown): void {
    const subject = "access log";
    const message = `is not written: ${describeError(error)}`;
    if (!this.#fails) this.#deps.log.warn("The access log is not written", { error: describeError(error) });
    this.#fails = true;
    this.#deps.board.set(subject, [
      { subject, message, remedy: "see who owns the run folder, and whether its disk is full" },
    ]);
  }
}

/** A line with the own name of its backend. No text of a client can be taken for it: there a quote has a backslash. */
function withOwnName(line: string, own: BackendNames["own"]): string {
  return line.replace(/"backend":"(spare-[^"]*)"/, (_, name: string) => `"backend":"${own(name)}"`);
}

function append(path: string, text: string): void {
  const file = openSync(path, FLAGS, 0o600);
  try {
    appendFileSync(file, text, "latin1");
  } finally {
    closeSync(file);
  }
}
