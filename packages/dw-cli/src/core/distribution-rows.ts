import type { Explanation, RouteListing } from "@datawire/api";
import { count, formatShare, formatSpan } from "./span.ts";
import { type Cell, type TextTable, cell } from "./text-table.ts";

/** One line of `dw route list`: what a target gets of a caller's requests to a service. */
export interface DistributionRow {
  readonly caller: string;
  readonly service: string;
  readonly target: string;
  readonly share: string;
  /** The stored route, with its options; empty for the primary and for failover targets. */
  readonly route: string;
  readonly detail: string;
  readonly mood: "plain" | "warning" | "bad";
}

const keyOf = ({ caller, service }: { readonly caller: string; readonly service: string }): string =>
  `${caller}>${service}`;

/** The lines of one distribution: its shares, then the routes without requests. */
function distributionRows(explanation: Explanation, own: readonly RouteListing[], nowMs: number): DistributionRow[] {
  const { caller, service, shares } = explanation;
  const rows = shares.map((share): DistributionRow => {
    const route = own.find(({ target }) => target === share.target);
    return {
      caller,
      service,
      target: share.target,
      share: formatShare(share.percent),
      route: route === undefined ? "" : describeRoute(route, nowMs),
      detail: `${describeInstances(share.instances)}: ${share.reason}`,
      mood: share.instances.length === 0 ? "bad" : "plain",
    };
  });
  const idle = own.filter((route) => shares.every(({ target }) => target !== route.target));
  if (rows.length === 0) {
    const detail = "nothing is live: requests get 503";
    rows.push({ caller, service, target: `//${service}`, share: "-", route: "", detail, mood: "bad" });
  }
  return [...rows, ...idleRows(idle, nowMs)];
}

/** The lines of all distributions, and of the routes whose service is not known yet. */
export function allRows(
  distributions: readonly Explanation[],
  routes: readonly RouteListing[],
  nowMs: number,
): DistributionRow[] {
  const own = Map.groupBy(routes, keyOf);
  const known = new Set(distributions.map(keyOf));
  const ahead = routes.filter((route) => !known.has(keyOf(route)));
  return [
    ...distributions.flatMap((one) => distributionRows(one, own.get(keyOf(one)) ?? [], nowMs)),
    ...idleRows(ahead, nowMs).map((row, i): DistributionRow =>
      ahead[i]?.status === "waiting"
        ? row
        : { ...row, detail: `waits: no service ${row.service} is registered`, mood: "warning" },
    ),
  ];
}

/** The lines of routes that get nothing, each with the reason. */
function idleRows(routes: readonly RouteListing[], nowMs: number): DistributionRow[] {
  return routes.map((route) => {
    const { caller, service, target } = route;
    return { caller, service, target, share: "0%", route: describeRoute(route, nowMs), ...describeIdle(route) };
  });
}

/** Rows as a table; what stands in the first column of `marks` goes before each row. */
export function distributionTable(rows: readonly DistributionRow[], marks?: readonly Cell[]): TextTable {
  return {
    columns: [
      ...(marks === undefined ? [] : [{ title: "" }]),
      { title: "CALLER", shrink: 3 },
      { title: "SERVICE", shrink: 4 },
      { title: "TARGET", shrink: 5 },
      { title: "SHARE", align: "right" },
      { title: "ROUTE", shrink: 2 },
      { title: "INSTANCES", shrink: 1 },
    ],
    rows: rows.map(({ caller, service, target, share, route, detail, mood }, i) => [
      ...(marks === undefined ? [] : [marks[i] as Cell]),
      caller,
      service,
      target,
      cell(share, mood === "plain" ? "strong" : mood),
      route === "" ? "-" : route,
      cell(detail, mood),
    ]),
  };
}

/** A stored route in short: `10% when header:x=1, sticky cookie:u, 1h 59m left`. */
function describeRoute({ percent, when, sticky, expires, status }: RouteListing, nowMs: number): string {
  const condition = when === null ? "" : ` when ${when}`;
  const rest = [
    sticky === null ? null : `sticky ${sticky}`,
    expires === null ? null : `${formatSpan(Date.parse(expires) - nowMs)} left`,
    status === "waiting" ? "waiting" : null,
  ];
  return [`${formatShare(percent)}${condition}`, ...rest.filter((part) => part !== null)].join(", ");
}

function describeInstances(instances: Explanation["shares"][number]["instances"]): string {
  const [first] = instances;
  if (first === undefined) return "none";
  if (instances.length === 1) return first.name;
  return count(instances.length, "instance");
}

function describeIdle(route: RouteListing): { detail: string; mood: DistributionRow["mood"] } {
  if (route.status === "waiting")
    return { detail: "waits: no registered instance matches the target", mood: "warning" };
  if (route.when !== null && route.percent === 0) return { detail: "only the requests that match", mood: "plain" };
  if (route.percent === 0) return { detail: "takes its instances out of the primary", mood: "plain" };
  return { detail: "no live instance is left for it: its share goes to the primary", mood: "warning" };
}
