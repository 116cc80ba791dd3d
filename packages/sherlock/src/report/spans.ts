import { type Clock, describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { SpanChoice } from "../core/render/spans-view.ts";
import { LogPipe, reachesPipe, SPANS_FD } from "../haproxy/log-pipe.ts";
import type { RunDir } from "../haproxy/run-dir.ts";

/** Where HAProxy tells of the requests that become spans. */
export interface SpanPipe {
  readonly of: SpanChoice;
  /** Takes what comes until the signal aborts, and what has come by then. */
  run(onText: (text: string) => void, clock: Clock, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** A burst of 15,000 requests a second finds room in the pipe between two looks. */
const LOOK_MS = 20;

/** Opens the pipe in which HAProxy tells of requests; null where no spans are wanted, or that cannot be. */
export async function openSpanPipe(
  of: SpanChoice | null,
  { dir, log, board }: { readonly dir: RunDir; readonly log: Logger; readonly board: Pick<ProblemBoard, "set"> },
): Promise<SpanPipe | null> {
  const off = (why: string, remedy: string): null => {
    log.warn("There are no spans of requests", { error: why });
    board.set("spans", [{ subject: "spans", message: `off: ${why}`, remedy }]);
    return null;
  };
  board.set("spans", []);
  if (of === null) return null;
  if (!(await reachesPipe(dir, { path: dir.spans, fd: SPANS_FD })))
    return off(
      "the HAProxy that was adopted has no pipe for them",
      "stop Sherlock, which ends HAProxy too, and start it",
    );
  try {
    let take: (text: string) => void = () => {};
    const pipe = await LogPipe.open(dir.spans, (text) => take(text));
    pipe.skip();
    return {
      of,
      async run(onText, clock, signal) {
        take = onText;
        await pipe.run(clock, signal, LOOK_MS);
        pipe.drain();
      },
      close: () => pipe.close(),
    };
  } catch (error) {
    return off(describeError(error), "see that the run folder can hold a pipe; `spans: off` does without");
  }
}
