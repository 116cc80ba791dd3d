import { tableKey } from "@datawire/protocol";
import { pause } from "@datawire/rollout";
import type { Change, DurableRecord } from "../model/records.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";
import type { Rollouts } from "../model/rollouts.ts";
import { type Author, DIRECTORY } from "./author.ts";

/** What a change makes of rollouts that it was not made by. */
export interface TouchedRollouts {
  readonly records: readonly DurableRecord[];
  /** For the history, after what was done. */
  readonly words: string;
  /** For whoever made the change. */
  readonly notes: readonly string[];
}

/** Most changes touch none. */
export const NONE_TOUCHED: TouchedRollouts = { records: [], words: "", notes: [] };

/**
 * The rollouts whose routes or whose primary a change is about to alter: they pause, saying by whom, and are masters of
 * their own target's route alone from then on. That the time of a route is over is no hand, and pauses nothing.
 */
export function touchedRollouts(rollouts: Rollouts, change: Change, author: Author): TouchedRollouts {
  const touched = rollouts.active().flatMap((record) => {
    const key = tableKey(record);
    const routes = change.tables.some((swap) => swap.key === key);
    const primary = change.services.some(
      (swap) => swap.key === record.service && (swap.before?.primary ?? null) !== (swap.after?.primary ?? null),
    );
    if (!routes && !primary) return [];
    const shared = record.shared || routes;
    if (!primary && author === DIRECTORY) return [{ ...record, shared }];
    return [stopped({ ...record, shared }, `${primary ? "the primary" : "its routes"} changed by ${author.who}`)];
  });
  if (touched.length === 0) return NONE_TOUCHED;
  const stops = touched.filter(({ id, rollout }) => rollout.state === "paused" && !isPaused(rollouts.get(id)));
  return {
    records: touched.map((record) => ({ kind: "rollout", id: record.id, value: record })),
    words: stops.map(({ id, by }) => `; rollout ${id}, started by ${by}, pauses`).join(""),
    notes: stops.map(({ id, by }) => `rollout ${id}, started by ${by}, is paused by this`),
  };
}

const isPaused = (record: RolloutRecord | null): boolean => record?.rollout.state === "paused";

/** One that is paused already keeps why, and says this too, once. */
function stopped(record: RolloutRecord, reason: string): RolloutRecord {
  const { rollout } = record;
  if (!isPaused(record)) return { ...record, rollout: pause(rollout, reason).rollout };
  const reasons = new Set([...(rollout.reason?.split("; ") ?? []), reason]);
  return { ...record, rollout: { ...rollout, reason: [...reasons].join("; ").slice(0, REASON_CHARACTERS_MAX) } };
}

/** What many hands did is in the history. */
const REASON_CHARACTERS_MAX = 1_000;
