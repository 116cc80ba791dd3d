import { ProtocolError } from "@datawire/protocol";
import { type Act, isOver, pause, promoted, type Rollout, type Turn } from "@datawire/rollout";
import { emptyChangeSet, type Plan } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import type { Change, DurableRecord } from "../model/records.ts";
import { type RolloutRecord, turnOf } from "../model/rollout-records.ts";
import type { State } from "../registry/state.ts";
import { carryOut } from "./act.ts";
import { describeTurn, nameOf } from "./describe.ts";

/** A plan for a rollout, and what it is afterwards. */
export interface RolloutPlan extends Plan {
  readonly record: RolloutRecord;
}

/**
 * What follows from a turn of a rollout: its record and the change of routes that it makes, to be written together. What
 * cannot be done to the routes pauses it, saying why.
 * @param more what else is to be written of it
 */
export function planTurn(
  state: State,
  before: RolloutRecord,
  {
    turn,
    judge,
    moment,
    more = [],
  }: {
    readonly turn: Turn;
    readonly judge: string;
    readonly moment: Moment;
    readonly more?: readonly DurableRecord[];
  },
): RolloutPlan {
  const acted = act(state, { ...before, judge, rollout: turn.rollout }, turn.act, moment);
  const { rollout } = acted.record;
  const endedAtMs = isOver(rollout.state) ? moment.wallMs : null;
  const record: RolloutRecord = { ...acted.record, endedAtMs };
  const words = describeTurn(before.rollout, rollout);
  const tallies = turnOf(record) === turnOf(before) && endedAtMs === null ? more : withoutTallies(state, record.id);
  return {
    action: `${nameOf(record)}: ${words.join("; ")}`,
    change: acted.change,
    notes: acted.notes,
    rollout: [{ kind: "rollout", id: record.id, value: record }, ...tallies],
    quiet: words.length === 0,
    record,
  };
}

/** Nothing to do. */
export function planNothing(record: RolloutRecord): RolloutPlan {
  return { action: "", change: emptyChangeSet(), notes: [], rollout: [], quiet: true, record };
}

interface Done {
  readonly change: Change;
  readonly record: RolloutRecord;
  readonly notes: readonly string[];
}

function act(state: State, record: RolloutRecord, wanted: Act | null, moment: Moment): Done {
  if (wanted === null) return { change: emptyChangeSet(), record, notes: [] };
  try {
    const acted = carryOut(state, record, wanted, moment);
    const { rollout } = acted.record;
    // What ends it is written in the very same change.
    return rollout.state === "promoting"
      ? { ...acted, record: { ...acted.record, rollout: promoted(rollout) } }
      : acted;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const stopped: Rollout = pause({ ...record.rollout, state: "running" }, error.message).rollout;
    return { change: emptyChangeSet(), record: { ...record, rollout: stopped }, notes: [error.message] };
  }
}

/** What was counted of a step is of no use after it. */
function withoutTallies(state: State, rollout: string): DurableRecord[] {
  return state.rollouts.talliesOf(rollout).map(([id]) => ({ kind: "tally", id, value: null }));
}
