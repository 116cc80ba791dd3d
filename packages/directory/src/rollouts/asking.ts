import { parseServiceAddress } from "@datawire/protocol";
import { asksGate, type Look, type PlannedStep } from "@datawire/rollout";
import type { RolloutRecord } from "../model/rollout-records.ts";
import { listRollout } from "./listing.ts";
import type { NoNumber, Questions } from "./questions.ts";

/** What others said for a look. */
export type Answers = Pick<Look, "values" | "agreed">;

/** A query that gave no number, or a gate that gave no answer, when it was asked last. */
export interface Silent extends NoNumber {
  /** After "its": `query checkout`. */
  readonly what: string;
}

/** Where nobody is asked. */
const NO_ANSWERS: Answers = { values: new Map(), agreed: null };

/** Others are asked this often at the most. */
const ASK_MS = 5_000;

/** Asks others for the looks at one step, beside all that goes on meanwhile. */
export class Asking {
  readonly #questions: Questions;
  readonly #ended = new AbortController();
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #answers: Answers | null = null;
  #silent: readonly Silent[] = [];

  constructor(questions: Questions) {
    this.#questions = questions;
  }

  /** The answers for a look that is due now; null while they are awaited. */
  answersFor(record: RolloutRecord, nowMs: number): Answers | null {
    const answers = this.#answers;
    if (answers !== null) {
      this.#answers = null;
      return answers;
    }
    if (this.#isAsking) return null;
    const queries = record.rollout.plan.checks.filter((check) => check.kind === "query");
    const isAskedFor = queries.length > 0 || asksGate(record.rollout);
    if (!isAskedFor) return NO_ANSWERS;
    // A look in between has nothing to say where a query decides, and goes without the gate where none does.
    if (nowMs - this.#askedMs < ASK_MS) return queries.length > 0 ? null : NO_ANSWERS;
    this.#askedMs = nowMs;
    this.#isAsking = true;
    void this.#ask(record, queries).then((said) => {
      this.#answers = said;
      this.#isAsking = false;
    });
    return null;
  }

  /** Who gave no answer that is of use when asked last. */
  get silent(): readonly Silent[] {
    return this.#silent;
  }

  /** Nobody waits for answers any more. */
  end(): void {
    this.#ended.abort();
  }

  async #ask(record: RolloutRecord, queries: readonly Parameters<Questions["query"]>[0][]): Promise<Answers> {
    const { plan, step } = record.rollout;
    const { version, instance } = parseServiceAddress(plan.target);
    const { signal } = this.#ended;
    const { gate } = plan.steps[step] as PlannedStep;
    const [agreed, ...numbers] = await Promise.all([
      gate !== null && asksGate(record.rollout) ? this.#questions.agrees(gate, listRollout(record), signal) : null,
      ...queries.map((check) => this.#questions.query(check, version ?? instance ?? "", signal)),
    ]);
    const values = new Map<string, number | NoNumber>();
    const silent: Silent[] = [];
    for (const [i, { name }] of queries.entries()) {
      const said = numbers[i];
      if (said !== undefined) values.set(name, said);
      if (typeof said === "object") silent.push({ what: `query ${name}`, why: said.why });
    }
    if (agreed !== null && agreed !== true && agreed.isSilent)
      silent.push({ what: `gate of step ${step + 1}`, why: agreed.why });
    this.#silent = silent;
    return { values, agreed };
  }
}
