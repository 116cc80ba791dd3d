import type { Moment } from "../model/moment.ts";
import type { StatusProblem } from "./service-problems.ts";

/** Something that went wrong, and that cost no more than its subject. */
export interface Fault extends Pick<StatusProblem, "subject" | "message" | "remedy"> {
  /** Left out for an error: something that the directory itself failed at. */
  readonly severity?: StatusProblem["severity"];
  /** For how long it is worth a look; an hour where nothing is said. */
  readonly keptMs?: number;
}

/** A subject that has been well for so long is not worth a look any more. */
const KEPT_MS = 3_600_000;
/** Whoever makes the directory fail under ever new names is told by its log. */
const SUBJECTS_MAX = 100;

interface Kept {
  readonly fault: Fault;
  readonly times: number;
  readonly last: Moment;
}

/** What went wrong of late, each subject with its last fault and how many there were. */
export class Faults {
  /** The one that failed last at the end. */
  readonly #kept = new Map<string, Kept>();

  note(fault: Fault, moment: Moment): void {
    const times = (this.#kept.get(fault.subject)?.times ?? 0) + 1;
    this.#kept.delete(fault.subject);
    this.#kept.set(fault.subject, { fault, times, last: moment });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > SUBJECTS_MAX) this.#kept.delete(oldest);
  }

  /** The subject is well again. */
  settle(subject: string): void {
    this.#kept.delete(subject);
  }

  /** For `dw status`; the newest first. */
  problems({ monotonicMs }: Pick<Moment, "monotonicMs">): StatusProblem[] {
    for (const [key, { fault, last }] of this.#kept)
      if (monotonicMs - last.monotonicMs > (fault.keptMs ?? KEPT_MS)) this.#kept.delete(key);
    return [...this.#kept.values()].toReversed().map(({ fault, times, last: { wallMs } }) => {
      const { subject, remedy, severity = "error" } = fault;
      const often = times === 1 ? "" : `${times} times, `;
      const last = `${often}last at ${new Date(wallMs).toISOString()}`;
      return { subject, remedy, severity, message: `${fault.message} (${last})` };
    });
  }
}
