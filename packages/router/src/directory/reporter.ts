import type { RouterReport } from "@datawire/protocol";
import type { LinkHandler, LinkSession } from "@datawire/link";
import type { Clock, ProblemBoard } from "@datawire/runtime";

/** What is told to the directory, and of what it is made. */
export interface ReporterDeps {
  readonly clock: Pick<Clock, "setTimer">;
  /** What an operator should see of this router. */
  readonly board: Pick<ProblemBoard, "list" | "onChange">;
  /** Where it is reached, and what there is of addresses and links now. */
  readonly report: () => RouterReport;
}

/** How often a router tells what there is. */
const REPORT_MS = 5_000;
/** Problems within this time go in one message. */
const TELL_MS = 50;

/** Tells the directory what a router has, while the link is there. */
export class Reporter {
  readonly #deps: ReporterDeps;
  #session: LinkSession | null = null;
  #cancelReport: (() => void) | null = null;
  #cancelTelling: (() => void) | null = null;
  /** What the directory was told on this connection. */
  #told = { report: "", problems: "[]" };

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    deps.board.onChange(() => this.#tellSoon());
  }

  /** A handler for the link that passes everything on to `others`. */
  handler(others: readonly LinkHandler[]): LinkHandler {
    return {
      connected: (session) => {
        this.#session = session;
        this.#told = { report: "", problems: "[]" };
        for (const other of others) other.connected(session);
        this.#tellProblems();
        this.#report();
      },
      disconnected: (reason) => {
        this.#session = null;
        this.#cancelReport?.();
        for (const other of others) other.disconnected(reason);
      },
      message(message) {
        for (const other of others) other.message(message);
      },
    };
  }

  /** Says nothing more. */
  close(): void {
    this.#cancelReport?.();
    this.#cancelTelling?.();
  }

  #report(): void {
    const report = this.#deps.report();
    const text = JSON.stringify(report);
    // A router at rest says nothing.
    if (text !== this.#told.report && this.#session?.send({ type: "router", ...report }) === true)
      this.#told.report = text;
    this.#cancelReport = this.#deps.clock.setTimer(REPORT_MS, () => this.#report());
  }

  #tellSoon(): void {
    this.#cancelTelling ??= this.#deps.clock.setTimer(TELL_MS, () => {
      this.#cancelTelling = null;
      this.#tellProblems();
    });
  }

  #tellProblems(): void {
    const problems = this.#deps.board.list();
    const text = JSON.stringify(problems);
    if (text !== this.#told.problems && this.#session?.send({ type: "problems", problems }) === true)
      this.#told.problems = text;
  }
}
