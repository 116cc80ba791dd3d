import {
  describeGeneration,
  formatServiceAddress,
  generationOf,
  type Instance,
  isUsable,
  keepsSessions,
  parseServiceAddress,
  type Route,
  type RouteTable,
} from "@datawire/protocol";
import { bestMatch, covers, isNamed, pool } from "./groups.ts";
import type { ServiceView } from "@datawire/catalog";

/** Where some requests end: instances that share them by the balance policy, a default URL, or a 503. */
export type Pool =
  | { readonly kind: "instances"; readonly service: string; readonly instances: readonly Instance[] }
  | { readonly kind: "url"; readonly service: string; readonly url: string }
  | { readonly kind: "refused"; readonly service: string };

/** A part of a share; the portions of one share add up to 1. More than one where the share enters another service. */
export interface Part {
  readonly portion: number;
  /** The target within the pool's service. */
  readonly target: string;
  readonly pool: Pool;
}

/** Where a session can live: in the memory of an instance, or behind a service's default URL. */
export type Holder =
  | { readonly kind: "instance"; readonly instance: Instance }
  | { readonly kind: "url"; readonly service: string; readonly url: string };

/** Somewhere requests can go: a target with what of it is live, which may be nothing. */
export interface Destination {
  readonly target: string;
  /** Empty when nothing of the target is live. */
  readonly parts: readonly Part[];
  /** Where the sessions of this target can live: also where no new request goes, while it drains or is in another zone. */
  readonly holders: readonly Holder[];
  /** For a division in proportion; of no meaning alone. */
  readonly weight: number;
  readonly reason: string;
}

/** The requests of one caller, in one zone. */
export interface CallerContext {
  /** The name of the caller, or `*`. */
  readonly caller: string;
  /** The zone of the caller, where it has one. */
  readonly zone: string | null;
}

/** The zone of a caller that runs several times: the zone that all have in common, null without one. */
export function sharedZone(zones: Iterable<string | null>): string | null {
  const [zone = null, ...others] = new Set(zones);
  return others.length === 0 ? zone : null;
}

/** The view of one service for one caller. */
export interface RoutingContext {
  readonly view: ServiceView;
  readonly callerContext: CallerContext;
  /** The table that decides for this caller; null for none. */
  readonly routes: RouteTable | null;
  /** The parts of a share that enters another service; none when that service has nothing live for this caller. */
  enter(target: string): Pick<Destination, "parts" | "holders">;
}

/** The weight of another service beside targets with instances of their own: that of one instance with the default weight. */
const CROSSING_WEIGHT = 100;

/** Whether requests can go there at all. */
export const isAlive = (destination: Destination): boolean => destination.parts.length > 0;

/** The address of the service itself, which as a target is its primary. */
export function wholeService({ view }: RoutingContext): string {
  return formatServiceAddress({ service: view.service.name, instance: null, version: null });
}

/** The instances of the primary generation that no route names; the reason says why there is none. */
export function primaryDestination(context: RoutingContext): Destination {
  const { view } = context;
  const { primary } = view.service;
  const target = wholeService(context);
  if (primary === null) {
    return { target, parts: [], holders: [], weight: 0, reason: "no instance was ever registered" };
  }
  const generation = view.instances.filter((instance) => generationOf(instance.version) === primary);
  const own = generation.filter((instance) => !isNamed(view, instance));
  const parts = instanceParts(context, target, own);
  const holders = holdersOf(own);
  const who = `the primary, ${describeGeneration(primary)}`;
  if (parts.length > 0) return { target, parts, holders, weight: 1, reason: who };
  if (generation.length === 0) {
    return { target, parts, holders, weight: 1, reason: `${who}, has no registered instance` };
  }
  const why = own.length === 0 ? "has all of its instances named by routes" : "has no live instance";
  return { target, parts, holders, weight: 1, reason: `${who}, ${why}` };
}

/** What a route's target is, apart from the whole service itself. An instance belongs to the most specific target. */
export function routeDestination(context: RoutingContext, route: Route): Destination {
  const reason = context.routes?.caller === "*" ? "a route for any caller" : `a route for ${context.routes?.caller}`;
  if (parseServiceAddress(route.target).service !== context.view.service.name) {
    const entered = context.enter(route.target);
    return { target: route.target, ...entered, weight: CROSSING_WEIGHT, reason: `${reason} to another service` };
  }
  const targets = (context.routes?.routes ?? []).map((other) => other.target);
  const covered = context.view.instances.filter((instance) => covers(parseServiceAddress(route.target), instance));
  const members = covered.filter((instance) => bestMatch(targets, instance) === route.target);
  const others = new Set(covered.flatMap((instance) => bestMatch(targets, instance) ?? []));
  others.delete(route.target);
  const without = others.size === 0 ? "" : `, without the instances of ${[...others].join(" and ")}`;
  return { ...instancesDestination(context, route.target, members), reason: reason + without };
}

/** Some instances of a service as one destination, which weighs as much as those of them that are usable. */
export function instancesDestination(
  context: RoutingContext,
  target: string,
  members: readonly Instance[],
): Destination {
  const weight = members.filter(isUsable).reduce((sum, instance) => sum + instance.weight, 0);
  const parts = instanceParts(context, target, members);
  return { target, parts, holders: holdersOf(members), weight, reason: "" };
}

/** The service's default URL; null when it has none. */
export function defaultUrlDestination(context: RoutingContext): Destination | null {
  const url = context.view.service.settings.defaultUrl;
  if (url === null) return null;
  const target = wholeService(context);
  const service = context.view.service.name;
  const parts: Part[] = [{ portion: 1, target, pool: { kind: "url", service, url } }];
  return { target, parts, holders: [{ kind: "url", service, url }], weight: 1, reason: "the default URL" };
}

/** Those of some instances that requests would go to, as one part; none where no instance is usable. */
export function instanceParts(context: RoutingContext, target: string, members: readonly Instance[]): Part[] {
  const instances = pool(members, context.callerContext.zone);
  if (instances.length === 0) return [];
  return [{ portion: 1, target, pool: { kind: "instances", service: context.view.service.name, instances } }];
}

/** Those of some instances that can have sessions. */
export function holdersOf(members: readonly Instance[]): Holder[] {
  return members.filter(keepsSessions).map((instance) => ({ kind: "instance", instance }));
}

/** All holders of several destinations, each once. */
export function joinHolders(destinations: readonly Pick<Destination, "holders">[]): Holder[] {
  const joined = new Map<unknown, Holder>();
  for (const holder of destinations.flatMap(({ holders }) => holders)) {
    joined.set(holder.kind === "instance" ? holder.instance : holder.service, holder);
  }
  return [...joined.values()];
}

/** What several destinations are together, in proportion to their weights. */
export function blend(destinations: readonly { readonly parts: readonly Part[]; readonly weight: number }[]): Part[] {
  const total = destinations.reduce((sum, destination) => sum + destination.weight, 0);
  return destinations.flatMap((destination) =>
    destination.parts.map((part) => ({ ...part, portion: (part.portion * destination.weight) / total })),
  );
}
