import {
  addRoute,
  describeTable,
  expireRoutes,
  removeRoute,
  setRoutes,
  tableKey,
  type RouteAdd,
  type RouteChange,
  type RouteRemove,
  type RouteSet,
} from "@datawire/protocol";
import type { Moment } from "../moment.ts";
import type { State } from "../state.ts";
import { emptyChange, type Plan } from "./plan.ts";

/** A plan for one route table, and which table that is, also where it does not exist afterwards. */
export interface RoutePlan extends Plan {
  readonly caller: string;
  readonly service: string;
}

/** `dw route add`. */
export function planRouteAdd(state: State, command: RouteAdd, moment: Moment): RoutePlan {
  const options = [
    ["", command.percent === undefined ? null : percentText(command.percent)],
    ["--when ", command.when],
    ["--sticky ", command.sticky],
    ["--for ", command.for],
  ].flatMap(([option, value]) => (value == null ? [] : [`${option}${value}`]));
  const words = ["route add", command.source, command.target, ...options];
  return planOf(state, addRoute(state.routeWorld(moment), command), words.join(" "));
}

/** `dw route remove`. */
export function planRouteRemove(state: State, command: RouteRemove, moment: Moment): RoutePlan {
  const change = removeRoute(state.routeWorld(moment), command);
  return planOf(state, change, `route remove ${command.source} ${command.target}`);
}

/** `dw route set`. */
export function planRouteSet(state: State, command: RouteSet, moment: Moment): RoutePlan {
  const shares = command.targets.map(({ target, percent }) => `${target}=${percentText(percent)}`);
  return planOf(state, setRoutes(state.routeWorld(moment), command), `route set ${command.source} ${shares.join(" ")}`);
}

/** The plans that end what was made with `--for` and is over by now. */
export function planExpiry(state: State, { wallMs }: Moment): Plan[] {
  return state.expiring().flatMap((table): Plan[] => {
    const expired = expireRoutes(table, wallMs);
    if (expired === null) return [];
    const ended = expired.ended.map(({ target }) => target).join(", ");
    const tables = [{ key: tableKey(table), before: table, after: expired.after }];
    const action = `time over for ${ended} of ${table.caller} to ${table.service}: ${arrow(table, expired.after)}`;
    return [{ action, change: { ...emptyChange(), tables }, notes: [] }];
  });
}

function planOf(state: State, { caller, service, after, notes }: RouteChange, words: string): RoutePlan {
  const key = tableKey({ caller, service });
  const before = state.table.table(key);
  return {
    caller,
    service,
    action: `${words}: ${arrow(before, after)}`,
    change: { ...emptyChange(), tables: [{ key, before, after }] },
    notes,
  };
}

function arrow(before: RouteChange["after"], after: RouteChange["after"]): string {
  return `${describeTable(before)} → ${describeTable(after)}`;
}

const percentText = (percent: string | number): string => `${String(percent).replace(/\s*%$/, "")}%`;
