import {
  formatPercent,
  formatServiceAddress,
  hintAt,
  listShort,
  parseServiceAddress,
  parseWhen,
  ProtocolError,
  quoteShort,
  type Route,
  type RouteTable,
  SLOTS,
} from "@datawire/protocol";
import { isWholeService } from "../split/traffic-split.ts";
import { isWaiting } from "../split/listing.ts";
import type { RouteSubject } from "./reading.ts";
import type { RouteWorld } from "./world.ts";

/** The most routes of one table; more targets than this are a mistake of a script. */
const ROUTES_MAX = 100;

/**
 * Refuses a condition that no request meets, as its value holds what separates two cookies or two parameters. To be
 * asked of what somebody types alone: a route that is kept and has one keeps its percentage.
 * @throws ProtocolError `invalid_argument`
 */
export function requireMatchable(text: string): void {
  const when = parseWhen(text);
  const ends = when.kind === "query" ? /[&;?#]/ : when.kind === "cookie" ? /[;,]/ : null;
  if (ends === null || when.kind === "path" || !ends.test(outsideOfQuotes(when.kind, when.value))) return;
  const why = when.kind === "query" ? "& ; ? and # end a value of a query" : "; and , end a cookie's value";
  throw new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as --when: no request meets it: ${why}`);
}

/** Double quotes keep the value of a cookie together, and are nothing special in a query. */
function outsideOfQuotes(kind: string, value: string): string {
  return kind === "cookie" ? value.replace(/"(?:[^"\\]|\\.)*("|$)/g, "") : value;
}

/**
 * Refuses a target that a typing mistake would make a silent route: one that matches nothing registered.
 * @throws ProtocolError `not_found` that lists what there is.
 */
export function requireTarget(world: RouteWorld, subject: RouteSubject, ahead: boolean): void {
  const { service, instance, version } = subject.target;
  const target = formatServiceAddress(subject.target);
  const view = world.table.service(service);
  const isWhole = instance === null && version === null && subject.service === service;
  // A name that nobody knows is a typing mistake first, and a service without a default URL second.
  if (isWhole && (ahead || view !== null)) return requireDefaultUrl(world, service);
  if (ahead || !isWaiting(world.table, target)) return;
  const known =
    view === null
      ? `no service ${service} is registered; ${hintAt(service, world.table.serviceNames(), "//")}`
      : instance === null
        ? `no registered instance of ${service} matches; its versions: ${listShort(view.instances.map((i) => i.version ?? "(none)"))}`
        : `${service} has no instance ${instance}; ${hintAt(
            instance,
            view.instances.map(({ name }) => name),
            `//${service}@`,
          )}`;
  throw new ProtocolError(
    "not_found",
    `Cannot route to ${target}: ${known} (--ahead makes a route before its target is there)`,
  );
}

/**
 * Refuses a share that would pass through more than one other service, or come back to its own.
 * @throws ProtocolError `conflict`
 */
export function requireOneLevel(world: RouteWorld, subject: RouteSubject): void {
  const from = subject.service;
  const to = subject.target.service;
  if (from === to) return;
  const refuse = (why: string): ProtocolError =>
    new ProtocolError("conflict", `Cannot route from service ${from} to service ${to}: ${why}`);
  for (const table of world.table.routeTables()) {
    for (const route of table.routes) {
      const target = parseServiceAddress(route.target).service;
      if (target === table.service) continue;
      if (table.service === to && target === from)
        throw refuse(`${to} has a route back to ${from}, which would be a cycle`);
      if (table.service === to) throw refuse(`${to} sends a share on to ${target}, and a share goes one level deep`);
      if (target === from) throw refuse(`${table.service} sends a share to ${from}, and a share goes one level deep`);
    }
  }
  const source = world.table.service(from)?.service.protocol;
  const target = world.table.service(to)?.service.protocol;
  if (source !== undefined && target !== undefined && (source === "tcp") !== (target === "tcp")) {
    throw refuse(`${from} speaks ${source} and ${to} speaks ${target}`);
  }
}

/**
 * Refuses a table that gives away more than everything. What an expiring route will bring back counts, so that its
 * end can never be refused.
 * @throws ProtocolError `conflict` that says what is allotted to whom.
 */
export function requireRoom(table: Pick<RouteTable, "caller" | "service" | "routes">): void {
  const reserved = (route: Route): number => Math.max(route.share, route.expiry?.before?.share ?? 0);
  const sum = table.routes.reduce((total, route) => total + reserved(route), 0);
  if (sum > SLOTS) {
    const allotted = table.routes
      .map((route) => {
        const back = reserved(route) > route.share ? ` (${formatPercent(reserved(route))} when it ends)` : "";
        return `${route.target} ${formatPercent(route.share)}${back}`;
      })
      .join(", ");
    throw new ProtocolError(
      "conflict",
      `Cannot allot ${formatPercent(sum)} of the requests to ${table.service}: wanted 100% at most; it would be ${allotted}`,
    );
  }
  if (table.routes.length > ROUTES_MAX) {
    throw new ProtocolError(
      "limit_exceeded",
      `Cannot add a route to ${table.service}: a table has at most ${ROUTES_MAX} routes`,
    );
  }
}

/** The whole service as a target leaves the rest to its default URL, so there has to be one. */
function requireDefaultUrl(world: RouteWorld, service: string): void {
  if (world.table.service(service)?.service.settings.defaultUrl != null) return;
  throw new ProtocolError(
    "conflict",
    `Cannot give a share to //${service} as a whole: the rest would go to its default URL, and it has none; ` +
      `set one with dw service add //${service} --default URL, or name a version such as //${service}:2`,
  );
}

/** Says which shares a caller's first own route hides, since tables are never added up. */
export function hiddenShares(world: RouteWorld, subject: RouteSubject): string[] {
  if (subject.caller === "*") return [];
  const any = world.table.service(subject.service)?.tables.find((table) => table.caller === "*");
  if (any === undefined) return [];
  const shares = any.routes
    .filter((route) => !isWholeService(any, route.target) || route.share > 0)
    .map((route) => `${route.target} ${formatPercent(route.share)}${route.when === null ? "" : ` when ${route.when}`}`);
  return [
    `the routes of ${subject.caller} to ${subject.service} now replace those for any caller: ${shares.join(", ")}`,
  ];
}
