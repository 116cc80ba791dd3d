import { parseServiceAddress } from "@datawire/protocol";
import {
  addEvidence,
  DEAD_MS_MAX,
  type Evidence,
  look,
  NO_EVIDENCE,
  type PlannedStep,
  type Sides,
} from "@datawire/rollout";
import { DIRECTORY } from "../changes/author.ts";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import { emptyChangeSet } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import type { DurableRecord } from "../model/records.ts";
import { type RolloutRecord, type TallyRecord, tallyId, turnOf } from "../model/rollout-records.ts";
import type { State } from "../registry/state.ts";
import type { CountedStep, StepCount, StepCounts } from "../stats/step-counts.ts";
import { type Answers, Asking, type Silent } from "./asking.ts";
import type { Questions } from "./questions.ts";
import { isAlive } from "./sight.ts";
import { planNothing, planTurn, type RolloutPlan } from "./turn.ts";

/** What a judge works with. */
export interface JudgeDeps {
  readonly state: State;
  readonly executor: Pick<ChangeExecutor, "change">;
  readonly counts: StepCounts;
  /** The newest table, with all that is decided by now. */
  readonly position: () => CountedStep["position"];
  readonly questions: Questions;
  /** How many of those that count are connected here: Sherlocks, libraries and routers. */
  readonly watchers: () => number;
  /** The ids of the directories that are there; empty where it is the only one that can be. */
  readonly replicas: () => readonly string[];
}

/** Reports come this often, and each look that has none is stored as often. */
const LOOK_MS = 5_000;
/** Looks that have something new are this far apart at the least. */
const LOOK_AGAIN_MS = 1_000;
/** A look stands for no more time than this: what was longer was none. */
const WATCHED_MS_MAX = 2 * LOOK_MS;
/** After so long without a word of the judge another directory is the judge: with a look, less than 10 s. */
const LEASE_MS = 8_000;

/** What a directory remembers of a rollout from one look to the next. */
interface Watched {
  readonly turn: string;
  record: RolloutRecord;
  /** Since when the record is as it is. */
  recordMs: number;
  /** Of the last look; null while none was made without a break. */
  lookedMs: number | null;
  reports: number;
  /** Since when the target has no live instance. */
  deadMs: number | null;
  /** What was stored by an earlier life of this directory, of the same step. */
  readonly base: TallyRecord | null;
  readonly asking: Asking;
}

/** Looks at running rollouts, and does what follows. */
export class Judge {
  readonly id: string;
  readonly #alone: boolean;
  readonly #deps: JudgeDeps;
  readonly #watched = new Map<string, Watched>();

  /**
   * @param id names this directory among those on the store
   * @param alone whether it is the only one that can be
   */
  constructor({ id, alone }: { readonly id: string; readonly alone: boolean }, deps: JudgeDeps) {
    this.id = id;
    this.#alone = alone;
    this.#deps = deps;
  }

  /** Time that passes from here to the next look is watched by nobody: the store takes nothing. */
  rest(): void {
    for (const watched of this.#watched.values()) watched.lookedMs = null;
  }

  /** The running rollouts that stay where they are, as no client that counts requests is connected to any directory. */
  unwatched(): readonly RolloutRecord[] {
    const { rollouts } = this.#deps.state;
    return rollouts.active().filter((record) => record.rollout.state === "running" && this.#isUnwatched(record));
  }

  /** Who gave no answer that is of use for a running rollout when this directory asked last. */
  silent(): readonly (Silent & { readonly record: RolloutRecord })[] {
    return [...this.#watched.values()].flatMap(({ record, asking }) =>
      record.rollout.state === "running" ? asking.silent.map((one) => ({ ...one, record })) : [],
    );
  }

  /** Does what is due. */
  async run(moment: Moment): Promise<void> {
    const { state, counts } = this.#deps;
    const running = state.rollouts.active().filter(({ rollout }) => rollout.state === "running");
    const ids = new Set(running.map(({ id }) => id));
    counts.keep(ids);
    for (const [id, { asking }] of this.#watched) {
      if (ids.has(id)) continue;
      asking.end();
      this.#watched.delete(id);
    }
    for (const record of running) await this.#see(record, moment);
  }

  async #see(record: RolloutRecord, moment: Moment): Promise<void> {
    const watched = this.#watch(record, moment);
    const { monotonicMs: now } = moment;
    if (watched.record !== record) Object.assign(watched, { record, recordMs: now });
    if (isAlive(this.#deps.state, record)) watched.deadMs = null;
    else watched.deadMs ??= now;
    if (watched.lookedMs === null) {
      watched.lookedMs = now;
      return;
    }
    if (!this.#judges(watched, now)) return this.#tell(watched, moment);
    if (!this.#isDue(watched, now)) return;
    const answers = watched.asking.answersFor(record, now);
    if (answers === null) return;
    const seen = { watchedMs: Math.min(now - watched.lookedMs, WATCHED_MS_MAX), answers };
    const reports = this.#count(record)?.reports ?? 0;
    await this.#deps.executor.change((at) => this.#plan(watched, seen, at), { author: DIRECTORY, undoable: false });
    Object.assign(watched, { lookedMs: now, reports });
  }

  #watch(record: RolloutRecord, { wallMs, monotonicMs }: Moment): Watched {
    const turn = turnOf(record);
    const known = this.#watched.get(record.id);
    if (known?.turn === turn) return known;
    known?.asking.end();
    const { state, counts, questions } = this.#deps;
    const { service, caller, rollout } = record;
    const primary = state.table.service(service)?.service.primary ?? null;
    const startedAtMs = rollout.steps[rollout.step]?.startedAtMs ?? wallMs;
    // After a restart of the only directory, its step began before it did; the clock of another one says nothing.
    const sinceMs = this.#alone ? monotonicMs - Math.max(0, wallMs - startedAtMs) : monotonicMs;
    counts.watch(record.id, {
      turn,
      sinceMs,
      position: this.#deps.position(),
      service,
      caller,
      target: parseServiceAddress(rollout.plan.target),
      primary,
    });
    const base = state.rollouts.tally(this.#tallyId(record));
    const watched: Watched = {
      turn,
      record,
      recordMs: monotonicMs,
      lookedMs: monotonicMs,
      reports: 0,
      deadMs: null,
      base: base?.turn === turn ? base : null,
      asking: new Asking(questions),
    };
    this.#watched.set(record.id, watched);
    return watched;
  }

  #judges({ record, recordMs }: Watched, now: number): boolean {
    return this.#alone || record.judge === this.id || now - recordMs >= LEASE_MS;
  }

  /** A directory that does not judge stores what was counted here, for the one that does. */
  async #tell(watched: Watched, { monotonicMs: now }: Moment): Promise<void> {
    if (now - (watched.lookedMs ?? now) < LOOK_MS) return;
    watched.lookedMs = now;
    const { executor, state } = this.#deps;
    const plan = (): RolloutPlan => {
      const record = state.rollouts.get(watched.record.id) ?? watched.record;
      if (!this.#isCurrent(watched, record)) return planNothing(record);
      const tally = this.#tally(watched);
      const known = state.rollouts.tally(tallyId(tally));
      const isNews = JSON.stringify(known) !== JSON.stringify(tally);
      const rollout: DurableRecord[] = isNews ? [{ kind: "tally", id: tallyId(tally), value: tally }] : [];
      return { ...planNothing(record), change: emptyChangeSet(), rollout };
    };
    await executor.change(plan, { author: DIRECTORY, undoable: false });
  }

  /** With the reports, and a little later where there are none; never later than what ends the step. */
  #isDue({ record, lookedMs, reports, deadMs }: Watched, now: number): boolean {
    const passedMs = now - (lookedMs ?? now);
    const { rollout } = record;
    const { forMs } = rollout.plan.steps[rollout.step] as PlannedStep;
    const { watchedMs = 0, deadMs: deadBeforeMs = 0 } = rollout.steps[rollout.step] ?? {};
    if (passedMs >= LOOK_MS) return true;
    const leftMs = forMs - watchedMs;
    if (leftMs > 0 && passedMs >= leftMs) return true;
    if (deadMs !== null && deadBeforeMs + now - Math.max(deadMs, lookedMs ?? now) >= DEAD_MS_MAX) return true;
    return passedMs >= LOOK_AGAIN_MS && (this.#count(record)?.reports ?? 0) !== reports;
  }

  #plan(
    watched: Watched,
    { watchedMs, answers }: { readonly watchedMs: number; readonly answers: Answers },
    at: Moment,
  ): RolloutPlan {
    const { state } = this.#deps;
    const record = state.rollouts.get(watched.record.id) ?? watched.record;
    // Another directory has become the judge, or a hand was faster.
    if (!this.#isCurrent(watched, record) || !(record === watched.record || record.judge === this.id || this.#alone))
      return planNothing(record);
    const tally = this.#tally(watched);
    const others = this.#othersOf(record);
    const deadMs = watched.deadMs === null ? null : Math.min(watchedMs, at.monotonicMs - watched.deadMs);
    const turn = look(record.rollout, {
      nowMs: at.wallMs,
      watchedMs: this.#isUnwatched(record) ? 0 : watchedMs,
      counted: [tally, ...others].reduce<Sides>(addSides, { target: NO_EVIDENCE, primary: NO_EVIDENCE }),
      deadMs,
      ...answers,
    });
    const more: DurableRecord[] = [{ kind: "tally", id: tallyId(tally), value: tally }];
    return planTurn(state, record, { turn, judge: this.id, moment: at, more });
  }

  #isCurrent({ turn }: Watched, record: RolloutRecord): boolean {
    return record.rollout.state === "running" && turnOf(record) === turn;
  }

  /** Whether nobody counts what its checks look at. */
  #isUnwatched(record: RolloutRecord): boolean {
    if (record.rollout.plan.checks.every(({ kind }) => kind === "query")) return false;
    const there = new Set(this.#deps.replicas());
    const elsewhere = this.#othersOf(record).filter(({ replica, watchers }) => watchers > 0 && there.has(replica));
    return this.#deps.watchers() === 0 && elsewhere.length === 0;
  }

  #othersOf(record: RolloutRecord): readonly TallyRecord[] {
    return this.#deps.state.rollouts.currentTallies(record).filter(({ replica }) => replica !== this.id);
  }

  #count({ id }: RolloutRecord): StepCount | null {
    return this.#deps.counts.of(id);
  }

  #tally({ record, turn, base }: Watched): TallyRecord {
    const none: Sides = { target: NO_EVIDENCE, primary: NO_EVIDENCE };
    const { target, primary } = addSides(base ?? none, this.#count(record) ?? none);
    return {
      rollout: record.id,
      replica: this.id,
      turn,
      target: stored(target),
      primary: stored(primary),
      watchers: this.#deps.watchers(),
    };
  }

  #tallyId({ id }: RolloutRecord): string {
    return tallyId({ rollout: id, replica: this.id });
  }
}

const addSides = (a: Sides, b: Sides): Sides => ({
  target: addEvidence(a.target, b.target),
  primary: addEvidence(a.primary, b.primary),
});

const stored = ({ latencies, ...evidence }: Evidence): TallyRecord["target"] => ({
  ...evidence,
  latencies: [...latencies],
});
