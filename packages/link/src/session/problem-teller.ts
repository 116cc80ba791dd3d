import type { ReportedProblem } from "@datawire/protocol";
import type { Clock, ProblemBoard } from "@datawire/runtime";
import type { LinkSession } from "./link-handler.ts";

/** What telling problems works with. */
export interface ProblemTellerDeps {
  readonly clock: Pick<Clock, "setTimer">;
  /** What an operator should see of this program. */
  readonly board: Pick<ProblemBoard, "list">;
}

/** Problems that change within this time go in one message. */
const TELL_MS = 50;

/** Tells the directory the problems of a program over one connection after the other, each list once a connection. */
export class ProblemTeller {
  readonly #deps: ProblemTellerDeps;
  #session: Pick<LinkSession, "send"> | null = null;
  /** The list that the directory has by this connection, as JSON. */
  #told = "[]";
  #cancelTimer: (() => void) | null = null;
  #isClosed = false;

  constructor(deps: ProblemTellerDeps) {
    this.#deps = deps;
  }

  /** The directory knows of no problem on a new connection; nothing is told before `tell`. */
  connected(session: Pick<LinkSession, "send">): void {
    this.#session = session;
    this.#told = "[]";
  }

  disconnected(): void {
    this.#session = null;
  }

  /** Tells the problems that there are, unless the directory has been told the same. */
  tell(): void {
    const problems = this.#deps.board.list();
    if (JSON.stringify(problems) !== this.#told && this.#session?.send({ type: "problems", problems }) === true)
      this.wasTold(problems);
  }

  /** Tells them within 50 ms, with what else changes until then. */
  tellSoon(): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#deps.clock.setTimer(TELL_MS, () => {
      this.#cancelTimer = null;
      this.tell();
    });
  }

  /** Another message has told these problems. */
  wasTold(problems: readonly ReportedProblem[]): void {
    this.#told = JSON.stringify(problems);
  }

  /** From here on `tellSoon` tells nothing. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
  }
}
