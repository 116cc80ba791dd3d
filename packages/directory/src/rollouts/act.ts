import { parseServiceAddress, ProtocolError, type Route, type RouteTable, tableKey } from "@datawire/protocol";
import type { Act } from "@datawire/rollout";
import { addRoute, removeRoute, type RouteChange } from "@datawire/routing";
import { planPromote } from "../changes/services.ts";
import { emptyChangeSet } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import type { Change } from "../model/records.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";
import type { State } from "../registry/state.ts";

/** What an act makes of the routes, and of the rollout, which knows its own by that. */
export interface Acted {
  readonly change: Change;
  readonly record: RolloutRecord;
  readonly notes: readonly string[];
}

/**
 * Plans what a rollout does to routes. Where others have changed them since, only the route of its target is touched.
 * @throws ProtocolError where the routes as they are by now leave no room for it, or nothing is there to be promoted.
 */
export function carryOut(state: State, record: RolloutRecord, act: Act, moment: Moment): Acted {
  const key = tableKey(record);
  const now = state.table.routeTable(key);
  const known: RolloutRecord = { ...record, shared: record.shared || !same(now, record.ours) };
  switch (act.kind) {
    case "share":
      return setting(known, now, { ...shareOf(state, known, act.share, moment) });
    case "restore":
      return setting(known, now, {
        after: known.shared ? withoutOwn(state, known, now, moment) : known.before,
        notes: [],
      });
    case "promote": {
      const { version } = parseServiceAddress(known.rollout.plan.target);
      const { change, notes } = planPromote(state, known.service, version);
      const swap = change.tables.find((table) => table.key === key);
      return { change, record: { ...known, ours: swap === undefined ? now : swap.after }, notes };
    }
  }
}

function setting(
  record: RolloutRecord,
  before: RouteTable | null,
  { after, notes }: Pick<RouteChange, "after" | "notes">,
): Acted {
  const change = { ...emptyChangeSet(), tables: [{ key: tableKey(record), before, after }] };
  return { change, record: { ...record, ours: after }, notes };
}

function shareOf(state: State, record: RolloutRecord, share: number, moment: Moment): RouteChange {
  const { sticky } = record.rollout.plan;
  return addRoute(state.routeWorld(moment), {
    ...routeOf(record),
    percent: share / 100,
    ...(sticky === null ? {} : { sticky }),
    // One that ends by itself would end in the middle of a step.
    for: null,
    // Its instances may be away when a step begins: that they are is for the judge to say.
    ahead: record.ours !== record.before,
    dryRun: false,
  });
}

/** What others have made of the routes, with the target's own as it was before the rollout. */
function withoutOwn(state: State, record: RolloutRecord, now: RouteTable | null, moment: Moment): RouteTable | null {
  const { target } = record.rollout.plan;
  const find = (table: RouteTable | null): Route | undefined => table?.routes.find((route) => route.target === target);
  if (find(now) === undefined) return now;
  const world = state.routeWorld(moment);
  const was = find(record.before);
  if (was !== undefined) {
    const percent = was.share / 100;
    try {
      return addRoute(world, { ...routeOf(record), percent, when: was.when, ahead: true, dryRun: false }).after;
    } catch (error) {
      // Others have taken the room that it had: then it gets none.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return removeRoute(world, { ...routeOf(record), dryRun: false }).after;
}

function routeOf({ caller, rollout }: RolloutRecord) {
  return {
    source: `//${caller}`,
    target: rollout.plan.target,
    ...(caller === "*" ? {} : { reading: "caller" as const }),
  };
}

const same = (a: RouteTable | null, b: RouteTable | null): boolean => JSON.stringify(a) === JSON.stringify(b);
