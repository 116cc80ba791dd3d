import { lstat, readFile, truncate } from "node:fs/promises";
import { type Clock, describeError, fileError, type Logger, type ProblemBoard } from "@datawire/runtime";
import { withoutPrefix } from "../core/observe/answers.ts";
import type { RunDir } from "./run-dir.ts";

type Files = Pick<RunDir, "errors" | "accessLog">;

/** What HAProxy says of itself is read when something goes wrong; what is older than that is of no use. */
const ERRORS_BYTES_MAX = 1024 * 1024;
/** The run directory may be in memory. An hour of a thousand requests a second is four times as much. */
const ACCESS_LOG_BYTES_MAX = 256 * 1024 * 1024;
const LOOK_MS = 10_000;
const ALERTS_MAX = 3;

/** HAProxy appends to its files for as long as it runs: one that is too large is emptied. */
export async function trimFiles({ errors, accessLog }: Files): Promise<void> {
  for (const [file, bytesMax] of [
    [errors, ERRORS_BYTES_MAX],
    [accessLog, ACCESS_LOG_BYTES_MAX],
  ] as const) {
    const found = await lstat(file).catch(() => null);
    if (found?.isFile() !== true || found.size <= bytesMax) continue;
    try {
      await truncate(file);
    } catch (cause) {
      throw fileError("empty", file, cause);
    }
  }
}

/** Keeps the files bounded until the signal aborts. */
export async function keepTrimmed(
  files: Files,
  {
    clock,
    log,
    board,
  }: {
    readonly clock: Pick<Clock, "sleep">;
    readonly log: Logger;
    readonly board: Pick<ProblemBoard, "set">;
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    try {
      await trimFiles(files);
      board.set("output", []);
    } catch (error) {
      log.warn("What HAProxy writes cannot be cut", { error: describeError(error) });
      const message = `cannot be cut: ${describeError(error)}; it grows until the disk is full`;
      board.set("output", [
        { subject: "what HAProxy writes", message, remedy: "see who owns the run folder and its files" },
      ]);
    }
  }
}

/**
 * The last alerts that HAProxy gave, to go behind a sentence; empty where there are none.
 * @param pid those of this process alone; default: of any.
 */
export async function lastAlerts({ errors }: Pick<Files, "errors">, pid: number | null = null): Promise<string> {
  const text = await readFile(errors, "utf8").catch(() => "");
  const alerts = text
    .split("\n")
    .filter((line) => line.includes("[ALERT]") && (pid === null || line.includes(`(${pid})`)))
    .slice(-ALERTS_MAX);
  return alerts.length === 0 ? "" : ` (${alerts.map(withoutPrefix).join("; ")})`;
}
