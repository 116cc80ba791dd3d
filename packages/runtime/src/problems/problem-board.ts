import { maskSecrets, type ReportedProblem } from "@datawire/protocol";

/** What a `problems` message takes (`problemsSchema`). */
const PROBLEMS_MAX = 100;
const SUBJECT_LENGTH_MAX = 320;
const MESSAGE_LENGTH_MAX = 1_000;

/**
 * What a program wants an operator to see in `dw status` now. Each source states all of its problems each time, and an
 * empty list once they are solved.
 *
 * To add one: call `set` with a name of your own where the warning is logged and again where it is over, and name that
 * source in `warnings.test.ts`, which asks of every `log.warn` and `log.error` where it is shown. Watson and Sherlock
 * send their boards to each directory; a directory shows its own.
 */
export class ProblemBoard {
  readonly #bySource = new Map<string, readonly ReportedProblem[]>();
  readonly #listeners = new Set<() => void>();

  /** Replaces what a source has said before. */
  set(source: string, problems: readonly ReportedProblem[]): void {
    const before = this.#bySource.get(source) ?? [];
    const now = problems.map(cut);
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.#bySource.set(source, now);
    for (const listener of this.#listeners) listener();
  }

  /**
   * All problems, cut to the number and the lengths that a message takes; a source with very many leaves room for the
   * others.
   */
  list(): ReportedProblem[] {
    const listed: ReportedProblem[] = [];
    const sources = [...this.#bySource].toSorted(([, a], [, b]) => a.length - b.length);
    for (const [i, [source, problems]] of sources.entries()) {
      const room = Math.floor((PROBLEMS_MAX - listed.length) / (sources.length - i));
      if (problems.length <= room) listed.push(...problems);
      else listed.push(...problems.slice(0, room - 1), more(source, problems.length - room + 1));
    }
    return listed;
  }

  /** Shows what another board lists as a source of its own, until the function returned is called. */
  include(source: string, other: ProblemBoard): () => void {
    const follow = (): void => this.set(source, other.list());
    follow();
    return other.onChange(follow);
  }

  /** Calls `listener` after each change; the function returned ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

function more(source: string, count: number): ReportedProblem {
  return { subject: source, message: `${count} more of the kind; the log has each` };
}

/** Everybody who may read from a directory can see these, so secrets are masked in whatever a source quotes. */
function cut({ subject, message, remedy, ...rest }: ReportedProblem): ReportedProblem {
  return {
    ...rest,
    subject: maskSecrets(subject).slice(0, SUBJECT_LENGTH_MAX),
    message: maskSecrets(message).slice(0, MESSAGE_LENGTH_MAX),
    ...(remedy !== undefined && { remedy: maskSecrets(remedy).slice(0, MESSAGE_LENGTH_MAX) }),
  };
}
