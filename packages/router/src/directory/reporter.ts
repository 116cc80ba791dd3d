import type { RouterReport } from "@datawire/protocol";
import { type LinkHandler, type LinkSession, ProblemTeller } from "@datawire/link";
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

/** Tells the directory what a router has, while the link is there. */
export class Reporter {
  readonly #deps: ReporterDeps;
  #session: LinkSession | null = null;
  readonly #problems: ProblemTeller;
  #cancelReport: (() => void) | null = null;
  /** The report that the directory was sent last on this connection, as JSON. */
  #told = "";

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#problems = new ProblemTeller(deps);
    deps.board.onChange(() => this.#problems.tellSoon());
  }

  /** A handler for the link that passes everything on to `others`. */
  handler(others: readonly LinkHandler[]): LinkHandler {
    return {
      connected: (session) => {
        this.#session = session;
        this.#told = "";
        this.#problems.connected(session);
        for (const other of others) other.connected(session);
        this.#problems.tell();
        this.#report();
      },
      disconnected: (reason) => {
        this.#session = null;
        this.#problems.disconnected();
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
    this.#problems.close();
  }

  #report(): void {
    const report = this.#deps.report();
    const text = JSON.stringify(report);
    // A router at rest says nothing.
    if (text !== this.#told && this.#session?.send({ type: "router", ...report }) === true) this.#told = text;
    this.#cancelReport = this.#deps.clock.setTimer(REPORT_MS, () => this.#report());
  }
}
