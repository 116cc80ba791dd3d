import { bestMatch, generationTarget, isNamed, newestGeneration } from "./groups.ts";
import { generationOf, type Instance, isUsable } from "@datawire/protocol";
import {
  defaultUrlDestination,
  instancesDestination,
  isAlive,
  type Destination,
  routeDestination,
  type RoutingContext,
  wholeService,
} from "./destinations.ts";

/**
 * What takes the share of a primary without a live instance, in the order of routing rules, section 3; more than one
 * divide it in proportion to their weights. Empty when nothing is live and there is no default URL.
 */
export function failover(context: RoutingContext): readonly Destination[] {
  if (context.view.service.settings.failover === "none") return [refusal(context)];
  const routes = (context.routes?.routes ?? []).filter((route) => route.target !== wholeService(context));
  const withShare = routes.filter((route) => route.share > 0);
  const shared = withShare
    .map((route) => ({ ...routeDestination(context, route), weight: route.share }))
    .filter(isAlive);
  if (shared.length > 0) return because("it has a share of its own", shared);
  const withoutShare = routes.filter((route) => route.share === 0).map((route) => routeDestination(context, route));
  if (withoutShare.some(isAlive)) return because("it is a target with 0%", withoutShare.filter(isAlive));
  const named = namedByOthers(context);
  if (named.length > 0) return because("a route of another caller names it", named);
  const held = newestHeld(context);
  if (held !== null) return because("it is the newest held version", [held]);
  const defaultUrl = defaultUrlDestination(context);
  return defaultUrl === null ? [] : because("nothing is live, so the default URL is used", [defaultUrl]);
}

function because(why: string, destinations: readonly Destination[]): Destination[] {
  return destinations.map((destination) => ({ ...destination, reason: `stands in for the primary: ${why}` }));
}

function refusal(context: RoutingContext): Destination {
  const target = wholeService(context);
  return {
    target,
    weight: 1,
    parts: [{ portion: 1, target, pool: { kind: "refused", service: context.view.service.name } }],
    holders: [],
    reason: "refused: the primary has no live instance, and failover is none",
  };
}

function namedByOthers(context: RoutingContext): Destination[] {
  const byTarget = new Map<string, Instance[]>();
  for (const instance of context.view.instances) {
    const target = bestMatch(context.view.named, instance);
    if (target !== null) byTarget.set(target, [...(byTarget.get(target) ?? []), instance]);
  }
  return [...byTarget].map(([target, members]) => instancesDestination(context, target, members)).filter(isAlive);
}

function newestHeld(context: RoutingContext): Destination | null {
  const { view } = context;
  const held = view.instances.filter(
    (instance) => !isNamed(view, instance) && generationOf(instance.version) !== view.service.primary,
  );
  const newest = newestGeneration(held.filter(isUsable));
  if (newest === null) return null;
  const members = held.filter((instance) => generationOf(instance.version) === newest);
  return instancesDestination(context, generationTarget(view.service.name, newest), members);
}
