import type { Histogram } from "@datawire/protocol";
import { type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import { Latencies } from "../core/observe/latencies.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import { LATENCIES_FD, LogPipe, reachesPipe } from "../haproxy/log-pipe.ts";
import type { RunDir } from "../haproxy/run-dir.ts";

/** The latencies of single requests. */
export interface Sampling {
  /** One request in so many is looked at, and counts for all of them. */
  readonly oneIn: number;
  /** What has come since the last call, by `backend/server`. */
  take(): ReadonlyMap<string, Histogram>;
  /** Keeps the pipe from filling up, until the signal aborts. */
  run(clock: Clock, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens the pipe in which HAProxy tells one request in so many; null where none is wanted, or that cannot be. */
export async function openSampling(
  oneIn: number | null,
  {
    dir,
    log,
    board,
    names,
  }: {
    readonly dir: RunDir;
    readonly log: Logger;
    readonly board: Pick<ProblemBoard, "set">;
    readonly names: Pick<BackendNames, "own">;
  },
): Promise<Sampling | null> {
  const tell = (why: string, remedy: string): void =>
    board.set("percentiles", [{ subject: "percentiles", message: `off: ${why}`, remedy }]);
  board.set("percentiles", []);
  if (oneIn === null) return null;
  if (!(await reachesPipe(dir, { path: dir.latencies, fd: LATENCIES_FD }))) {
    log.warn("Percentiles are off until HAProxy starts anew, and Sherlock with it: this HAProxy has no pipe for them");
    tell("the HAProxy that was adopted has no pipe for them", "stop Sherlock, which ends HAProxy too, and start it");
    return null;
  }
  try {
    const latencies = new Latencies(oneIn, names.own);
    const pipe = await LogPipe.open(dir.latencies, (text) => latencies.add(text));
    pipe.skip();
    return {
      oneIn,
      take() {
        pipe.drain();
        return latencies.take();
      },
      run: (clock, signal) => pipe.run(clock, signal),
      close: () => pipe.close(),
    };
  } catch (error) {
    log.warn("Percentiles are off", { error: describeError(error) });
    tell(describeError(error), "see that the run folder can hold a pipe; `percentiles: off` does without");
    return null;
  }
}
