import type { ErrorCode, ReportedProblem } from "@datawire/protocol";
import { ProblemBoard } from "@datawire/runtime";
import type { Refusal } from "../registry/registry.ts";

/** What helps against each refusal; those of others are told by their message alone. */
const REMEDIES: Partial<Record<ErrorCode, string>> = {
  conflict: "give it a name of its own (`instance:` in its service file), or remove one of the two files",
  permission_denied: "give the Watson a token that covers it: `dw token create --role watson --services PATTERN`",
  limit_exceeded: "docs/operating.md has the bounds of a directory",
};
const CORRECT = "correct its service file there; it is tried again after a lease";

/** What is wrong with a client that is connected: what it reports itself, and what the directory refused of it. */
export class ClientProblems {
  readonly #board = new ProblemBoard();
  readonly #refused = new Map<string, Refusal>();

  /** What the client says is wrong; replaces what it said before. */
  report(problems: readonly ReportedProblem[]): void {
    this.#board.set("client", problems);
  }

  /**
   * What became of the instances that a Watson has named, by key.
   * @param isWhole whether they are its whole set.
   */
  registered(
    { named, isWhole }: { readonly named: readonly string[]; readonly isWhole: boolean },
    refused: readonly Refusal[],
  ): void {
    if (isWhole) this.#refused.clear();
    for (const key of named) this.#refused.delete(key);
    for (const refusal of refused) this.#refused.set(refusal.instance, refusal);
    const problems = [...this.#refused.values()].map(({ instance, code, message }) => ({
      subject: instance.includes("@") ? `//${instance}` : instance,
      message,
      severity: "error" as const,
      remedy: REMEDIES[code] ?? CORRECT,
    }));
    this.#board.set("refused", problems);
    this.#board.set("message", []);
  }

  /** A whole message of the client was refused. One of a type that this directory does not know is a newer program's. */
  messageRefused(code: ErrorCode, message: string): void {
    if (code === "unsupported") return;
    const remedy = "its log says more; a program of another version may say what this directory does not take";
    this.#board.set("message", [{ subject: "link", message, severity: "error", remedy }]);
  }

  list(): ReportedProblem[] {
    return this.#board.list();
  }
}
