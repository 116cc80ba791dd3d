import {
  addRoute,
  describeTable,
  expireRoutes,
  removeRoute,
  requireMatchable,
  setRoutes,
  type RouteChange,
} from "@datawire/routing";
import { tableKey } from "@datawire/protocol";
import type { RouteAdd, RouteRemove, RouteSet } from "@datawire/api";
import type { Moment } from "../model/moment.ts";
import type { State } from "../registry/state.ts";
import { emptyChangeSet, type Plan } from "../model/change-set.ts";

/** A plan for one route table, and which table that is, also where it does not exist afterwards. */
export interface RoutePlan extends Plan {
  readonly caller: string;
  readonly service: string;
}

/** `dw route add`. */
export function planRouteAdd(state: State, command: RouteAdd, moment: Moment): RoutePlan {
  if (command.when != null) requireMatchable(command.when);
  const { percent, when, sticky, for: duration } = command;
  const options = Object.entries({ when, sticky, for: duration }).flatMap(([option, value]) => {
    if (value === undefined) return [];
    return value === null ? [`--no-${option}`] : [`--${option} ${value}`];
  });
  const share = percent === undefined ? [] : [percentText(percent)];
  const words = ["route add", command.source, command.target, ...share, ...options, ...conditions(command)];
  return planOf(state, addRoute(state.routeWorld(moment), command), words.join(" "));
}

/** `dw route remove`. */
export function planRouteRemove(state: State, command: RouteRemove, moment: Moment): RoutePlan {
  const change = removeRoute(state.routeWorld(moment), command);
  const words = ["route remove", command.source, command.target, ...conditions(command)];
  return planOf(state, change, words.join(" "));
}

/** `dw route set`. */
export function planRouteSet(state: State, command: RouteSet, moment: Moment): RoutePlan {
  const shares = command.targets.map(({ target, percent }) => `${target}=${percentText(percent)}`);
  const words = ["route set", command.source, ...shares, ...conditions(command)];
  return planOf(state, setRoutes(state.routeWorld(moment), command), words.join(" "));
}

/** On what a command was given: how its source was meant, and that its target need not be there yet. */
function conditions({ reading, ahead = false }: Pick<RouteAdd, "reading"> & { readonly ahead?: boolean }): string[] {
  return [...(reading === undefined ? [] : [`--${reading}`]), ...(ahead ? ["--ahead"] : [])];
}

/** The keys of the route tables in which the time of something that was made with `--for` is over. */
export function expired(state: State, { wallMs }: Moment): string[] {
  return state.expiring().flatMap((table) => (expireRoutes(table, wallMs) === null ? [] : [tableKey(table)]));
}

/** Ends what is over in one route table, and brings back what was before it. */
export function planExpiry(state: State, key: string, { wallMs }: Moment): Plan {
  const table = state.table.routeTable(key);
  const over = table === null ? null : expireRoutes(table, wallMs);
  if (table === null || over === null) return { action: "", change: emptyChangeSet(), notes: [] };
  const ended = over.ended.map(({ target }) => target).join(", ");
  return {
    action: `time over for ${ended} of ${table.caller} to ${table.service}: ${arrow(table, over.after)}`,
    change: { ...emptyChangeSet(), tables: [{ key, before: table, after: over.after }] },
    notes: [],
  };
}

function planOf(state: State, { caller, service, after, notes }: RouteChange, words: string): RoutePlan {
  const key = tableKey({ caller, service });
  const before = state.table.routeTable(key);
  return {
    caller,
    service,
    action: `${words}: ${arrow(before, after)}`,
    change: { ...emptyChangeSet(), tables: [{ key, before, after }] },
    notes,
  };
}

function arrow(before: RouteChange["after"], after: RouteChange["after"]): string {
  return `${describeTable(before)} → ${describeTable(after)}`;
}

const percentText = (percent: string | number): string => `${String(percent).replace(/\s*%$/, "")}%`;
