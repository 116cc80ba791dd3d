import { type Route, type RouteTable, tableKey } from "@datawire/protocol";
import { isOver } from "@datawire/rollout";
import { withTarget } from "@datawire/routing";
import type { HistoryEntry } from "../model/records.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";
import type { Rollouts } from "../model/rollouts.ts";

/** Routes as an undo brings them back, and what to know of them. */
export interface LeftByRollouts {
  readonly after: RouteTable | null;
  readonly notes: readonly string[];
}

/**
 * The routes that come back with the undo of an entry, without the shares of rollouts that are over: these were there
 * when the entry was made, and nobody judges them any more. Such a target is as its rollout has left it.
 */
export function leftByRollouts(
  rollouts: Rollouts,
  { atMs }: Pick<HistoryEntry, "atMs">,
  { key, after }: { readonly key: string; readonly after: RouteTable | null },
): LeftByRollouts {
  const during = rollouts.list().filter((record) => tableKey(record) === key && wentOnAt(record, atMs));
  return during.reduce<LeftByRollouts>(
    ({ after: table, notes }, record) => {
      const { target } = record.rollout.plan;
      const back = find(table, target);
      const left = routeLeft(record);
      // What a hand has taken away meanwhile stays away.
      if (table === null || back === undefined || (back.share === left?.share && back.when === left.when))
        return { after: table, notes };
      const note = `${target} stays as rollout ${record.id} has left it, which was ${record.rollout.state}`;
      return { after: withTarget(table, target, left), notes: [...notes, note] };
    },
    { after, notes: [] },
  );
}

function wentOnAt({ rollout, startedAtMs, endedAtMs }: RolloutRecord, atMs: number): boolean {
  return isOver(rollout.state) && startedAtMs <= atMs && atMs <= (endedAtMs ?? startedAtMs);
}

/** The route of its target with which a rollout has ended. */
function routeLeft({ rollout: { plan, state }, before, ours }: RolloutRecord): Route | null {
  const table = state !== "promoted" ? before : plan.finish === "keep" ? ours : null;
  return find(table, plan.target) ?? null;
}

function find(table: RouteTable | null, target: string): Route | undefined {
  return table?.routes.find((route) => route.target === target);
}
