import { describeError, type Logger, type ProblemBoard } from "@datawire/runtime";

interface LeftOutDeps {
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
}

/** More than this is told of by the log alone. */
const KEPT_MAX = 100;
const REMEDY =
  "set it anew with the command that made it, or restore a backup (`directory restore FILE`); if a newer directory on the same store wrote it, bring this one to that version";

/** What a store has and cannot be read: logged, shown in `dw status`, and left out. */
export class LeftOut {
  readonly #source: string;
  readonly #deps: LeftOutDeps;
  readonly #reasons = new Map<string, string>();

  /** @param source names it to the board. */
  constructor(source: string, deps: LeftOutDeps) {
    this.#source = source;
    this.#deps = deps;
  }

  add(key: string, error: unknown): void {
    const reason = describeError(error);
    this.#deps.log.error("Left out what the store has and cannot be read", { key, reason });
    if (this.#reasons.size < KEPT_MAX) this.#reasons.set(key, reason);
    this.#show();
  }

  /** What is there under that key now can be read, or is gone. */
  settle(key: string): void {
    if (this.#reasons.delete(key)) this.#show();
  }

  #show(): void {
    const problems = [...this.#reasons].map(([key, reason]) => ({
      subject: key,
      message: `left out: ${reason}`,
      severity: "error" as const,
      remedy: REMEDY,
    }));
    this.#deps.board.set(this.#source, problems);
  }
}
