import type { StatusProblem } from "./service-problems.ts";

/** Something that went wrong in the directory itself, and that cost no more than its subject. */
export type Fault = Pick<StatusProblem, "subject" | "message" | "remedy">;

/** A subject that has been well for so long is not worth a look any more. */
const KEPT_MS = 3_600_000;
/** Whoever makes the directory fail under ever new names is told by its log. */
const SUBJECTS_MAX = 100;

interface Kept {
  readonly fault: Fault;
  readonly times: number;
  readonly lastMs: number;
}

/** What went wrong of late, each subject with its last fault and how many there were. */
export class Faults {
  /** The one that failed last at the end. */
  readonly #kept = new Map<string, Kept>();

  note(fault: Fault, wallMs: number): void {
    const times = (this.#kept.get(fault.subject)?.times ?? 0) + 1;
    this.#kept.delete(fault.subject);
    this.#kept.set(fault.subject, { fault, times, lastMs: wallMs });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > SUBJECTS_MAX) this.#kept.delete(oldest);
  }

  /** For `dw status`; the newest first. */
  problems(wallMs: number): StatusProblem[] {
    for (const [subject, { lastMs }] of this.#kept) if (wallMs - lastMs > KEPT_MS) this.#kept.delete(subject);
    return [...this.#kept.values()].toReversed().map(({ fault, times, lastMs }) => {
      const often = times === 1 ? "" : `${times} times, `;
      const last = `${often}last at ${new Date(lastMs).toISOString()}`;
      return { ...fault, severity: "error", message: `${fault.message} (${last})` };
    });
  }
}
