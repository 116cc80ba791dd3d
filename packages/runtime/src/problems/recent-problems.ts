import type { ReportedProblem } from "@datawire/protocol";
import type { Clock } from "../time/clock.ts";
import type { ProblemBoard } from "./problem-board.ts";

/** How long a problem is shown after it happened. */
const KEPT_MS = 600_000;
/** The most subjects; problems of others are in the log alone. */
const SUBJECTS_MAX = 20;

/** What recent problems are kept with. */
export interface RecentDeps {
  readonly board: Pick<ProblemBoard, "set">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs" | "setTimer">;
  /** Ends the timers. */
  readonly signal: AbortSignal;
}

interface Kept {
  readonly problem: ReportedProblem;
  readonly times: number;
  /** By the wall clock, for whoever reads it. */
  readonly lastWallMs: number;
  /** By the monotonic one, for how long it is shown. */
  readonly lastMs: number;
}

/**
 * Problems that were over as soon as they happened, such as a failed request, as one source of a board: for each
 * subject the last one, how often it happened and when. As no event says that such a problem is solved, each is shown
 * for a while.
 */
export class RecentProblems {
  readonly #source: string;
  readonly #deps: RecentDeps;
  readonly #keptMs: number;
  /** By subject, the newest at the end. */
  readonly #kept = new Map<string, Kept>();
  #cancelTimer: () => void = () => {};

  constructor(source: string, deps: RecentDeps, { keptMs = KEPT_MS }: { readonly keptMs?: number } = {}) {
    this.#source = source;
    this.#deps = deps;
    this.#keptMs = keptMs;
    deps.signal.addEventListener("abort", () => this.#cancelTimer(), { once: true });
  }

  note(problem: ReportedProblem): void {
    const { subject } = problem;
    const times = (this.#kept.get(subject)?.times ?? 0) + 1;
    this.#kept.delete(subject);
    const { clock } = this.#deps;
    this.#kept.set(subject, { problem, times, lastWallMs: clock.nowMs(), lastMs: clock.monotonicMs() });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > SUBJECTS_MAX) this.#kept.delete(oldest);
    this.#show();
  }

  #show(): void {
    const { board, clock, signal } = this.#deps;
    this.#cancelTimer();
    const nowMs = clock.monotonicMs();
    for (const [subject, { lastMs }] of this.#kept) if (nowMs - lastMs >= this.#keptMs) this.#kept.delete(subject);
    const [oldest] = this.#kept.values();
    board.set(this.#source, [...this.#kept.values()].toReversed().map(describe));
    if (oldest === undefined || signal.aborted) return;
    this.#cancelTimer = clock.setTimer(Math.max(1, oldest.lastMs + this.#keptMs - nowMs), () => this.#show());
  }
}

function describe({ problem, times, lastWallMs }: Kept): ReportedProblem {
  const often = times === 1 ? "at" : `${times} times, last at`;
  return { ...problem, message: `${problem.message} (${often} ${new Date(lastWallMs).toISOString()})` };
}
