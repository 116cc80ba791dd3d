import {
  assignSlots,
  formatPercent,
  formatServiceAddress,
  parseDuration,
  parsePercent,
  parseServiceAddress,
  parseSticky,
  parseWhen,
  ProtocolError,
  type Route,
  type RouteTable,
  SLOTS,
} from "@datawire/protocol";
import type { RouteAdd, RouteRemove, RouteSet } from "@datawire/api";
import { hiddenShares, requireOneLevel, requireRoom, requireTarget } from "./checks.ts";
import { findRoute, readSubject, type RouteSubject, subjectTable } from "./reading.ts";
import type { RouteChange, RouteWorld } from "./world.ts";

/**
 * `dw route add`: makes a route, or changes the one that there is; options that are not given stay as they were.
 * @throws ProtocolError for whatever a typing mistake would make of it; nothing has changed then.
 */
export function addRoute(world: RouteWorld, command: RouteAdd): RouteChange {
  const subject = readSubject(world, command);
  const existing = findRoute(world, subject);
  if (existing === null) requireTarget(world, subject, command.ahead);
  requireOneLevel(world, subject);
  requireMatchers(world, subject, command);
  const route: Route = {
    target: formatServiceAddress(subject.target),
    share: shareOf(command, existing),
    slots: existing?.slots ?? [],
    when: command.when === undefined ? (existing?.when ?? null) : command.when,
    reading: subject.reading,
    order: existing?.order ?? world.nextOrder,
    expiry: expiryOf(world, command, existing),
  };
  const table = subjectTable(world, subject);
  const routes = replaceOrAppend(table?.routes ?? [], route);
  const sticky = command.sticky === undefined ? (table?.sticky ?? null) : command.sticky;
  const notes = [...subject.notes, ...(table === null ? hiddenShares(world, subject) : [])];
  return changed(subject, build(subject, routes, sticky), notes);
}

/**
 * `dw route set`: several shares of one source at once, all or nothing.
 * @throws ProtocolError when any of them is refused, or all together are more than 100%.
 */
export function setRoutes(world: RouteWorld, command: RouteSet): RouteChange {
  const subjects = command.targets.map(({ target }) => readSubject(world, { ...command, target }));
  const first = subjects[0] as RouteSubject;
  let routes: readonly Route[] = subjectTable(world, first)?.routes ?? [];
  let nextOrder = world.nextOrder;
  const seen = new Set<string>();
  subjects.forEach((subject, i) => {
    const target = formatServiceAddress(subject.target);
    if (subject.caller !== first.caller || subject.service !== first.service) {
      throw new ProtocolError(
        "invalid_argument",
        `Cannot set shares of ${first.service} and ${subject.service} at once: the targets of one command belong to one service`,
      );
    }
    if (seen.has(target)) throw new ProtocolError("invalid_argument", `Cannot set ${target} twice in one command`);
    seen.add(target);
    const existing = findRoute(world, subject);
    if (existing === null) requireTarget(world, subject, command.ahead);
    requireOneLevel(world, subject);
    const share = parsePercent((command.targets[i] as RouteSet["targets"][number]).percent);
    routes = replaceOrAppend(
      routes,
      existing === null
        ? { target, share, slots: [], when: null, reading: subject.reading, order: nextOrder++, expiry: null }
        : { ...existing, share },
    );
  });
  const table = subjectTable(world, first);
  const notes = [...first.notes, ...(table === null ? hiddenShares(world, first) : [])];
  return changed(first, build(first, routes, table?.sticky ?? null), notes);
}

/**
 * `dw route remove`.
 * @throws ProtocolError `not_found` when there is no such route, naming those that the source has.
 */
export function removeRoute(world: RouteWorld, command: RouteRemove): RouteChange {
  const subject = readSubject(world, command);
  const table = subjectTable(world, subject);
  const target = formatServiceAddress(subject.target);
  if (table === null || findRoute(world, subject) === null) {
    const own = table === null ? "none" : table.routes.map((route) => route.target).join(", ");
    throw new ProtocolError(
      "not_found",
      `Cannot remove the route from ${command.source} to ${target}: there is none; its routes to ${subject.service}: ${own}`,
    );
  }
  const routes = table.routes.filter((route) => route.target !== target);
  return changed(subject, routes.length === 0 ? null : { ...table, routes }, []);
}

/** Ends the routes whose time is over, bringing back what was before them; null when none is. */
export function expireRoutes(table: RouteTable, nowMs: number): { after: RouteTable | null; ended: Route[] } | null {
  const ended = table.routes.filter((route) => route.expiry !== null && route.expiry.atMs <= nowMs);
  if (ended.length === 0) return null;
  const routes = table.routes.flatMap((route): Route[] => {
    if (!ended.includes(route)) return [route];
    const before = route.expiry?.before ?? null;
    return before === null ? [] : [{ ...route, ...before, expiry: null }];
  });
  return { after: routes.length === 0 ? null : withSlots({ ...table, routes }), ended };
}

/**
 * What a promotion makes of a table: routes of the service that name the promoted generation go, since its instances
 * would get nothing of the primary's share otherwise; a share that another service sends to it goes to the service.
 * Returns the table itself when nothing of it changes, and null when nothing of it is left.
 */
export function withoutGeneration(table: RouteTable, service: string, generation: string): RouteTable | null {
  const names = (route: Route): boolean => {
    const address = parseServiceAddress(route.target);
    return address.service === service && address.version !== null && address.version.split(".", 1)[0] === generation;
  };
  if (!table.routes.some(names)) return table;
  const kept = table.routes.filter((route) => !names(route));
  if (table.service === service) return kept.length === 0 ? null : { ...table, routes: kept };
  const whole = `//${service}`;
  const [moved, ...others] = table.routes.filter(names) as [Route, ...Route[]];
  const existing = kept.find((route) => route.target === whole) ?? { ...moved, target: whole, share: 0 };
  const share = [moved, ...others].reduce((sum, route) => sum + route.share, existing.share);
  return withSlots({ ...table, routes: replaceOrAppend(kept, { ...existing, share }) });
}

/**
 * A table with the route to `target` as `route` has it, and without one for null and where the others leave no room;
 * null when nothing of it is left.
 */
export function withTarget(table: RouteTable, target: string, route: Route | null): RouteTable | null {
  const others = table.routes.filter((other) => other.target !== target);
  const allotted = others.reduce((sum, { share }) => sum + share, 0);
  if (route === null || allotted + route.share > SLOTS)
    return others.length === 0 ? null : { ...table, routes: others };
  return withSlots({ ...table, routes: replaceOrAppend(table.routes, route) });
}

/** One line that says what a table allots, for the history and for people. */
export function describeTable(table: RouteTable | null): string {
  if (table === null) return "no routes";
  const routes = table.routes.map(
    (route) => `${route.target} ${formatPercent(route.share)}${route.when === null ? "" : ` when ${route.when}`}`,
  );
  return routes.join(", ") + (table.sticky === null ? "" : `, sticky by ${table.sticky}`);
}

function changed(subject: RouteSubject, after: RouteTable | null, notes: readonly string[]): RouteChange {
  return { caller: subject.caller, service: subject.service, after, notes };
}

function build(subject: RouteSubject, routes: readonly Route[], sticky: string | null): RouteTable {
  const table: RouteTable = { caller: subject.caller, service: subject.service, sticky, routes: [...routes] };
  requireRoom(table);
  return withSlots(table);
}

function withSlots(table: RouteTable): RouteTable {
  const slots = assignSlots(table.routes);
  return { ...table, routes: table.routes.map((route, i) => ({ ...route, slots: slots[i] as Route["slots"] })) };
}

function replaceOrAppend(routes: readonly Route[], route: Route): Route[] {
  const at = routes.findIndex((other) => other.target === route.target);
  return at < 0 ? [...routes, route] : routes.with(at, route);
}

function shareOf(command: RouteAdd, existing: Route | null): number {
  if (command.percent !== undefined) return parsePercent(command.percent);
  if (existing !== null) return existing.share;
  if (command.when != null) return 0;
  throw new ProtocolError(
    "invalid_argument",
    "Cannot add a route without a percentage: wanted one such as 10%, or --when",
  );
}

function expiryOf(world: RouteWorld, command: RouteAdd, existing: Route | null): Route["expiry"] {
  if (command.for === undefined) return existing?.expiry ?? null;
  if (command.for === null) return null;
  const ms = parseDuration(command.for);
  if (ms === 0) throw new ProtocolError("invalid_argument", "Cannot let a route end at once: --for wants more than 0s");
  // What comes back is what was meant to stay: a change of a route that is itself temporary keeps what was before it.
  const before =
    existing === null ? null : (existing.expiry?.before ?? (existing.expiry === null ? kept(existing) : null));
  return { atMs: world.nowMs + ms, before };
}

const kept = ({ share, when }: Route): { share: number; when: string | null } => ({ share, when });

function requireMatchers(world: RouteWorld, subject: RouteSubject, command: RouteAdd): void {
  const tcp = world.table.service(subject.service)?.service.protocol === "tcp";
  if (command.when != null) {
    parseWhen(command.when);
    if (tcp)
      throw new ProtocolError(
        "invalid_argument",
        `Cannot use --when for ${subject.service}: a TCP service has no requests to match`,
      );
  }
  if (command.sticky != null && parseSticky(command.sticky).kind !== "ip" && tcp) {
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use --sticky ${command.sticky} for ${subject.service}: a TCP service has only ip`,
    );
  }
}
