import type { Histogram } from "@datawire/protocol";
import { type Clock, describeError, type Logger } from "@datawire/runtime";
import { Latencies } from "./core/latencies.ts";
import { LatencyPipe, reachesPipe } from "./io/latency-pipe.ts";
import type { RunDir } from "./io/run-dir.ts";

/** The latencies of single requests. */
export interface Sampling {
  /** What has come since the last call, by `backend/server`. */
  take(): ReadonlyMap<string, Histogram>;
  /** Keeps the pipe from filling up, until the signal aborts. */
  run(clock: Clock, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens the pipe in which HAProxy tells one request in so many; null where none is wanted, or that cannot be. */
export async function openSampling(
  oneIn: number | null,
  { dir, log }: { readonly dir: RunDir; readonly log: Logger },
): Promise<Sampling | null> {
  if (oneIn === null) return null;
  if (!(await reachesPipe(dir))) {
    log.warn("Percentiles are off until HAProxy starts anew, and Sherlock with it: this HAProxy has no pipe for them");
    return null;
  }
  try {
    const latencies = new Latencies(oneIn);
    const pipe = await LatencyPipe.open(dir, (text) => latencies.add(text));
    return {
      take() {
        pipe.drain();
        return latencies.take();
      },
      run: (clock, signal) => pipe.run(clock, signal),
      close: () => pipe.close(),
    };
  } catch (error) {
    log.warn("Percentiles are off", { error: describeError(error) });
    return null;
  }
}
