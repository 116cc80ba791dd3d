import {
  countSlots,
  divideSlots,
  formatServiceAddress,
  isUsable,
  joinSlots,
  parseServiceAddress,
  parseSticky,
  parseWhen,
  remainingSlots,
  type Route,
  type RouteTable,
  type SlotRange,
  type Sticky,
  type When,
} from "@datawire/protocol";
import { bestMatch } from "./groups.ts";
import {
  blend,
  defaultUrlDestination,
  type Holder,
  holdersOf,
  instanceParts,
  isAlive,
  joinHolders,
  type Destination,
  type Part,
  primaryDestination,
  routeDestination,
  type RoutingContext,
  type CallerContext,
  wholeService,
} from "./destinations.ts";
import { failover } from "./failover.ts";
import type { ServiceView, CatalogReader } from "@datawire/catalog";

/** What one target gets of a caller's requests to a service. */
export interface Share {
  /** The primary's target is `//NAME`. */
  readonly target: string;
  readonly slots: readonly SlotRange[];
  readonly parts: readonly Part[];
  /** Where the sessions of this share can live. */
  readonly holders: readonly Holder[];
  readonly reason: string;
}

/** A `--when` condition with where its requests go; in the order in which they are tried. */
export interface Rule {
  readonly when: When;
  readonly target: string;
  readonly order: number;
  readonly parts: readonly Part[];
  /** Where the sessions of the requests that match can live. */
  readonly holders: readonly Holder[];
  readonly reason: string;
}

/** Where the requests of one caller to one service go. */
export interface TrafficSplit {
  readonly service: string;
  readonly caller: string;
  /** The table that decides: the caller's own, else that for any caller, else none. */
  readonly table: RouteTable | null;
  /** Together all 10,000 slots, or none when nothing is live. Every share has at least one slot. */
  readonly shares: readonly Share[];
  readonly rules: readonly Rule[];
  /**
   * Where sessions can live whose requests meet no condition: with every target that has a share above 0, live or not.
   * There may be some where there is no share, while all that is left drains.
   */
  readonly holders: readonly Holder[];
  readonly sticky: Sticky | null;
  /** Why the primary's share does not go to the primary; null while it does. */
  readonly degraded: string | null;
}

/**
 * Says where requests go: the one implementation of routing rules 3 and 4, which the proxy, `dw route list`,
 * `dw explain` and libraries share. Null for a service that the table does not know.
 */
export function splitTraffic(table: CatalogReader, service: string, callerContext: CallerContext): TrafficSplit | null {
  const view = table.service(service);
  if (view === null) return null;
  const routes = effectiveTable(view, callerContext.caller);
  const context: RoutingContext = {
    view,
    callerContext,
    routes,
    enter: (target) => enterService(table, target, callerContext),
  };
  const primary = primaryDestination(context);
  const forPrimary = isAlive(primary) ? [primary] : failover(context);
  const { shares, holders } = sharesOf(context, primary, forPrimary);
  return {
    service,
    caller: callerContext.caller,
    table: routes,
    shares,
    rules: shares.length === 0 ? [] : rulesOf(context, primary, forPrimary),
    holders,
    sticky: routes?.sticky == null ? null : parseSticky(routes.sticky),
    degraded: isAlive(primary) ? null : primary.reason,
  };
}

/** The route table that holds for a caller: its own replaces the one for any caller as a whole. */
export function effectiveTable(view: ServiceView, caller: string): RouteTable | null {
  const own = view.tables.find((table) => table.caller === caller);
  return own ?? view.tables.find((table) => table.caller === "*") ?? null;
}

/** Whether a route's target is the whole service itself: the rest then goes to the service's default URL. */
export function isWholeService(table: { readonly service: string }, target: string): boolean {
  return target === formatServiceAddress({ service: table.service, instance: null, version: null });
}

interface Shared {
  readonly shares: readonly Share[];
  readonly holders: readonly Holder[];
}

function sharesOf(context: RoutingContext, primary: Destination, forPrimary: readonly Destination[]): Shared {
  const routes = context.routes?.routes ?? [];
  const shares: Share[] = [];
  /** What has a share by the table, dead or alive, and what stands in for it. */
  const entitled: Destination[] = [];
  /** What falls to the primary, or to what stands in for it. */
  const left: (readonly SlotRange[])[] = [];
  for (const route of routes) {
    const destination = isWhole(context, route) ? primary : routeDestination(context, route);
    if (countSlots(route.slots) > 0) entitled.push(destination);
    if (isAlive(destination)) shares.push(share(destination, route.slots));
    else left.push(route.slots);
  }
  const rest = remainingSlots(routes.map((route) => route.slots));
  const defaultUrl = routes.some((route) => isWhole(context, route)) ? defaultUrlDestination(context) : null;
  if (countSlots(rest) > 0) entitled.push(defaultUrl ?? primary);
  if (defaultUrl === null) left.push(rest);
  else shares.push({ ...share(defaultUrl, rest), reason: "the rest goes to the default URL" });
  const divided = divideSlots(
    joinSlots(left),
    forPrimary.map((destination) => destination.weight),
  );
  forPrimary.forEach((destination, i) => shares.push(share(destination, divided[i] as SlotRange[])));
  entitled.push(...forPrimary.filter((_, i) => countSlots(divided[i] as SlotRange[]) > 0));
  return { shares: anyLive(context, shares) ? mergeShares(shares) : [], holders: joinHolders(entitled) };
}

/** The `--when` rules: the longest path first, then the others by age. One whose target is dead goes to the primary. */
function rulesOf(context: RoutingContext, primary: Destination, forPrimary: readonly Destination[]): Rule[] {
  const rules = (context.routes?.routes ?? []).flatMap((route): Rule[] => {
    if (route.when === null) return [];
    const when = parseWhen(route.when);
    const { order } = route;
    const destination = isWhole(context, route) ? primary : routeDestination(context, route);
    const { target, parts, holders } = destination;
    if (isAlive(destination)) return [{ when, order, target, parts, holders, reason: `--when ${route.when}` }];
    const reason = `${target} has no live instance`;
    const instead = { target: wholeService(context), parts: blend(forPrimary) };
    return [{ when, order, ...instead, holders: joinHolders([destination, ...forPrimary]), reason }];
  });
  const pathLength = ({ when }: Rule): number => (when.kind === "path" ? when.prefix.length : 0);
  return rules.sort((a, b) => pathLength(b) - pathLength(a) || a.order - b.order);
}

/**
 * The parts of a share that enters another service: that service's own split for `//b`, without its conditions
 * and without going on to a third; the named instances for `//b(2)`.
 */
function enterService(
  table: CatalogReader,
  target: string,
  callerContext: CallerContext,
): Pick<Destination, "parts" | "holders"> {
  const address = parseServiceAddress(target);
  const view = table.service(address.service);
  const nothing = { parts: [], holders: [] };
  if (view === null) return nothing;
  const context: RoutingContext = {
    view,
    callerContext,
    routes: effectiveTable(view, callerContext.caller),
    enter: () => nothing,
  };
  if (address.version !== null || address.instance !== null) {
    const members = view.instances.filter((instance) => bestMatch([target], instance) !== null);
    return { parts: instanceParts(context, target, members), holders: holdersOf(members) };
  }
  const primary = primaryDestination(context);
  const { shares, holders } = sharesOf(context, primary, isAlive(primary) ? [primary] : failover(context));
  return { parts: blend(shares.map(({ parts, slots }) => ({ parts, weight: countSlots(slots) }))), holders };
}

/** A refusal is worth showing only beside something that lives; alone it says "nothing is live". */
function anyLive(context: RoutingContext, shares: readonly Share[]): boolean {
  if (context.view.instances.some(isUsable)) return true;
  return shares.some(({ parts, slots }) => countSlots(slots) > 0 && parts.some(({ pool }) => pool.kind !== "refused"));
}

/** Joins shares that go to the same place and drops empty ones; the later reason says more. */
function mergeShares(shares: readonly Share[]): Share[] {
  const merged: Share[] = [];
  for (const next of shares) {
    if (countSlots(next.slots) === 0) continue;
    const at = merged.findIndex((other) => other.target === next.target && samePools(other.parts, next.parts));
    const other = merged[at];
    if (other === undefined) merged.push(next);
    else {
      const slots = joinSlots([other.slots, next.slots]);
      merged[at] = { ...other, slots, holders: joinHolders([other, next]), reason: next.reason };
    }
  }
  return merged;
}

/** Within one split, the same target means the same pool, but for the service itself and its default URL. */
function samePools(a: readonly Part[], b: readonly Part[]): boolean {
  return a.length === b.length && a.every((part, i) => part.pool.kind === b[i]?.pool.kind);
}

function share({ target, parts, holders, reason }: Destination, slots: readonly SlotRange[]): Share {
  return { target, slots, parts, holders, reason };
}

function isWhole({ view }: RoutingContext, route: Route): boolean {
  return isWholeService({ service: view.service.name }, route.target);
}
