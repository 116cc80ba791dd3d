import { describeError, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { ForwardProblem } from "../forward/forwarding.ts";
import type { GoneRecords, StoreFault } from "../worker/messages.ts";

/** Where problems of the store of traces are told. */
export interface StoreProblemsDeps {
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
}

const REMEDIES: Readonly<Record<StoreFault["kind"], string>> = {
  full: "make room on that disk, or set a smaller `traces.size`",
  "out-of-reach": "see that the folder is there and this user's to write",
  failed: "it is a fault of this program, and neither of the disk nor of the files: please report it with this message",
};

/** Tells operators what is wrong with the store of traces, in the log and in `dw status`. */
export class StoreProblems {
  readonly #deps: StoreProblemsDeps;

  constructor(deps: StoreProblemsDeps) {
    this.#deps = deps;
  }

  /** The thread of the store has ended, and is started again. */
  threadFailed(error: unknown): void {
    const { log, board } = this.#deps;
    log.error("Store of traces failed, starting it again", { error });
    const message = `their store failed, and was started again: ${describeError(error)}`;
    const remedy = "this directory's log has the reason; all but traces and logs works on";
    board.set("store of traces", [{ subject: "traces", message, severity: "warning", remedy }]);
  }

  /** A file was damaged, and is not used any more. */
  setAside({ path, message }: { readonly path: string; readonly message: string }): void {
    this.#deps.log.error("File of traces is damaged, set aside", { path, error: message });
    const remedy = `what came in that hour cannot be found any more; remove ${path}, and look whether its disk is failing`;
    this.#deps.board.set("damaged traces", [
      { subject: "traces", message: `a file was damaged and set aside: ${message}`, severity: "warning", remedy },
    ]);
  }

  /** What was set aside was removed. */
  asideRemoved(): void {
    this.#deps.board.set("damaged traces", []);
  }

  /** There are files of a newer version, which stay as they are; 0 for none any more. */
  newer(files: number): void {
    const { log, board } = this.#deps;
    if (files === 0) return board.set("newer traces", []);
    log.warn("Files of traces are of a newer version, and stay as they are", { files });
    const what = files === 1 ? "one file was" : `${files} files were`;
    const message = `${what} written by a newer version: nobody finds what is in there before that version runs again`;
    const remedy = "start the newer version again; else this goes by itself once they are older than `traces.age`";
    board.set("newer traces", [{ subject: "traces", message, severity: "warning", remedy }]);
  }

  /** Files were taken away with what they hold; null once they are back, or nobody misses it any more. */
  gone(gone: GoneRecords | null): void {
    const { log, board } = this.#deps;
    if (gone === null) {
      log.info("No traces are missed any more");
      return board.set("gone traces", []);
    }
    const { folder, count, sinceMs } = gone;
    log.warn("Files of traces were taken away", { folder, count });
    const since = new Date(sinceMs).toISOString();
    const message = `${count} spans and messages were taken away with ${folder}, as was seen at ${since}`;
    const remedy = "put the folder back as it was; else this goes by itself once they would be older than `traces.age`";
    board.set("gone traces", [{ subject: "traces", message, severity: "warning", remedy }]);
  }

  /** The collector takes nothing, or refuses some for good; null once it takes all again. */
  cannotForward(problem: ForwardProblem | null): void {
    const { log, board } = this.#deps;
    if (problem === null) {
      log.info("Traces are forwarded again");
      return board.set("forwarding", []);
    }
    const { kind, why } = problem;
    if (kind === "stuck") log.warn("Traces wait to be forwarded", { reason: why });
    else log.warn("The collector refuses traces for good", { reason: why });
    const message =
      kind === "stuck" ? `they wait to be forwarded: ${why}` : `the collector refuses some for good: ${why}`;
    const remedy = "see that `traces.forward` is right, and that the collector runs and takes OTLP over HTTP";
    board.set("forwarding", [{ subject: "traces", message, severity: "warning", remedy }]);
  }

  /** Nothing is kept; null once it is again. */
  cannotKeep(fault: StoreFault | null): void {
    const { log, board } = this.#deps;
    if (fault === null) {
      log.info("Traces are kept again");
      return board.set("traces", []);
    }
    const { kind, message, sinceMs } = fault;
    log.error("Traces cannot be kept", { error: message });
    const since = new Date(sinceMs).toISOString();
    const remedy = `${REMEDIES[kind]}; all but traces and logs works on`;
    board.set("traces", [
      { subject: "traces", message: `none are kept since ${since}: ${message}`, severity: "error", remedy },
    ]);
  }
}
