import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { lstat, open, readlink, rm, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { type Clock, describeError, systemErrorCode } from "@datawire/runtime";
import type { RunDir } from "./run-dir.ts";
import { createMasterApi, createRuntimeApi } from "./runtime-api.ts";

/** As which file HAProxy has each pipe open, from its start on and over every reload. */
export const LOGS_FD = 1;
/** The file descriptor of HAProxy that latencies are logged to. */
export const LATENCIES_FD = 3;
/** The file descriptor of HAProxy that requests are logged to which become spans. */
export const SPANS_FD = 4;

/** What a pipe holds on Linux (pipe(7)). */
const PIPE_BYTES = 65_536;
/** Looking from time to time costs HAProxy less than being woken for each line that it writes. */
const LOOK_MS_MIN = 5;
const LOOK_MS_MAX = 200;
const BUSY_BYTES = PIPE_BYTES / 4;
const QUIET_BYTES = PIPE_BYTES / 16;

/**
 * Opens the pipe for HAProxy, which keeps it for life: for reading too, so that nothing breaks while no Sherlock reads.
 * Writing never waits: what finds no room is lost.
 * @throws Error where there is no pipe to be had.
 */
export async function openForWriting(path: string): Promise<FileHandle> {
  await makePipe(path);
  return open(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

/** Whether the HAProxy that runs, if one does, has a pipe as that file: one that was started by an older Sherlock has not. */
export async function reachesPipe(
  { sockets }: Pick<RunDir, "sockets">,
  { path, fd }: { readonly path: string; readonly fd: number },
): Promise<boolean> {
  const question = "show info";
  // The master, which says nothing just after a reload, is for a configuration without the socket of the worker.
  const answer = await createRuntimeApi(sockets.runtime)
    .ask(question)
    .catch(() => createMasterApi(sockets.master).ask(question))
    .catch(() => "");
  const pid = /^Pid: (\d+)$/m.exec(answer)?.[1];
  if (pid === undefined) return true;
  const file = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => null);
  return file === path;
}

/** Sherlock's end of a pipe in which HAProxy writes lines. */
export class LogPipe {
  readonly #fd: number;
  readonly #onText: (text: string) => void;
  readonly #buffer = Buffer.alloc(PIPE_BYTES);

  private constructor(fd: number, onText: (text: string) => void) {
    this.#fd = fd;
    this.#onText = onText;
  }

  /** Opens it. What it gives is Latin-1, as many bytes as characters. @throws Error where there is no pipe to be had. */
  static async open(path: string, onText: (text: string) => void): Promise<LogPipe> {
    await makePipe(path);
    return new LogPipe(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW), onText);
  }

  /** Passes over what has come before. */
  skip(): void {
    this.#read();
  }

  /** Takes what has come. @returns how many bytes. */
  drain(): number {
    const length = this.#read();
    if (length > 0) this.#onText(this.#buffer.toString("latin1", 0, length));
    return length;
  }

  /**
   * Takes what comes until the signal aborts.
   * @param lookMsMax how long it may wait between two looks. Default: 200, in which 2,000 short lines find room.
   */
  async run(clock: Clock, signal: AbortSignal, lookMsMax = LOOK_MS_MAX): Promise<void> {
    let waitMs = lookMsMax;
    while (!signal.aborted) {
      const length = this.drain();
      if (length > BUSY_BYTES) waitMs = Math.max(LOOK_MS_MIN, waitMs / 2);
      else if (length < QUIET_BYTES) waitMs = Math.min(lookMsMax, waitMs * 2);
      await clock.sleep(waitMs, signal);
    }
  }

  /** Leaves the pipe to HAProxy, whose lines are lost from then on. */
  close(): void {
    closeSync(this.#fd);
  }

  /** Never waits, as the pipe is opened so; asking a thread for it would take longer. */
  #read(): number {
    try {
      return readSync(this.#fd, this.#buffer);
    } catch (error) {
      if (systemErrorCode(error) === "EAGAIN") return 0;
      throw error;
    }
  }
}

async function makePipe(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isFIFO() === true) return;
  if (found !== null) await rm(path, { force: true });
  try {
    // Node.js has no call for it.
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
  } catch (error) {
    throw new Error(`Cannot make the pipe ${path}: ${describeError(error)}`, { cause: error });
  }
}
