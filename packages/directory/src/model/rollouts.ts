import { isOver } from "@datawire/rollout";
import { type RolloutRecord, type TallyRecord, turnOf } from "./rollout-records.ts";

/** The most ended rollouts that are remembered. */
const ENDED_ROLLOUTS_MAX = 100;

/** Every rollout that is remembered, with what was counted of those that go on. */
export class Rollouts {
  readonly #all = new Map<string, RolloutRecord>();
  readonly #tallies = new Map<string, TallyRecord>();

  set(id: string, record: RolloutRecord | null): void {
    if (record === null) this.#all.delete(id);
    else this.#all.set(id, record);
  }

  setTally(id: string, tally: TallyRecord | null): void {
    if (tally === null) this.#tallies.delete(id);
    else this.#tallies.set(id, tally);
  }

  get(id: string): RolloutRecord | null {
    return this.#all.get(id) ?? null;
  }

  /** The newest first. */
  list(): RolloutRecord[] {
    return [...this.#all.values()].toSorted((a, b) => Number(b.id) - Number(a.id));
  }

  /** Those that are not over. */
  active(): RolloutRecord[] {
    return [...this.#all.values()].filter(({ rollout }) => !isOver(rollout.state));
  }

  /** The one of a service that is not over. */
  activeOf(service: string): RolloutRecord | null {
    return this.active().find((record) => record.service === service) ?? null;
  }

  get nextId(): string {
    return String([...this.#all.keys()].reduce((max, id) => Math.max(max, Number(id)), 0) + 1);
  }

  /** The ids of ended ones to forget when another rollout begins. */
  excess(): string[] {
    const ended = this.list().filter(({ rollout }) => isOver(rollout.state));
    return ended.slice(ENDED_ROLLOUTS_MAX - 1).map(({ id }) => id);
  }

  tally(id: string): TallyRecord | null {
    return this.#tallies.get(id) ?? null;
  }

  /** What all directories have counted of a rollout, whichever step it is of; by the keys of their records. */
  talliesOf(rollout: string): [id: string, tally: TallyRecord][] {
    return [...this.#tallies].filter(([, tally]) => tally.rollout === rollout);
  }

  /** What they have counted of its current step. */
  currentTallies(record: RolloutRecord): TallyRecord[] {
    const turn = turnOf(record);
    return this.talliesOf(record.id).flatMap(([, tally]) => (tally.turn === turn ? [tally] : []));
  }
}
