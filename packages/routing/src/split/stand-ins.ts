import { claimant, generationTarget, isNamed, newestGeneration } from "./groups.ts";
import type { Instance } from "@datawire/protocol";
import { isUsable } from "@datawire/protocol";
import {
  defaultUrlOutlet,
  instancesOutlet,
  isAlive,
  type Outlet,
  routeOutlet,
  type Scene,
  wholeService,
} from "./outlets.ts";
import { generationOf } from "@datawire/protocol";

/**
 * What takes the share of a primary without a live instance, in the order of routing rules, section 3; more than one
 * divide it in proportion to their weights. Empty when nothing is live and there is no default URL.
 */
export function standIns(scene: Scene): readonly Outlet[] {
  if (scene.view.service.settings.failover === "none") return [refusal(scene)];
  const routes = (scene.routes?.routes ?? []).filter((route) => route.target !== wholeService(scene));
  const withShare = routes.filter((route) => route.share > 0);
  const shared = withShare.map((route) => ({ ...routeOutlet(scene, route), weight: route.share })).filter(isAlive);
  if (shared.length > 0) return because("it has a share of its own", shared);
  const withoutShare = routes.filter((route) => route.share === 0).map((route) => routeOutlet(scene, route));
  if (withoutShare.some(isAlive)) return because("it is a target with 0%", withoutShare.filter(isAlive));
  const named = namedByOthers(scene);
  if (named.length > 0) return because("a route of another caller names it", named);
  const held = newestHeld(scene);
  if (held !== null) return because("it is the newest held version", [held]);
  const defaultUrl = defaultUrlOutlet(scene);
  return defaultUrl === null ? [] : because("nothing is live, so the default URL is used", [defaultUrl]);
}

function because(why: string, outlets: readonly Outlet[]): Outlet[] {
  return outlets.map((outlet) => ({ ...outlet, reason: `stands in for the primary: ${why}` }));
}

function refusal(scene: Scene): Outlet {
  const target = wholeService(scene);
  return {
    target,
    weight: 1,
    parts: [{ portion: 1, target, pool: { kind: "refused", service: scene.view.service.name } }],
    holders: [],
    reason: "refused: the primary has no live instance, and failover is none",
  };
}

function namedByOthers(scene: Scene): Outlet[] {
  const byTarget = new Map<string, Instance[]>();
  for (const instance of scene.view.instances) {
    const target = claimant(scene.view.named, instance);
    if (target !== null) byTarget.set(target, [...(byTarget.get(target) ?? []), instance]);
  }
  return [...byTarget].map(([target, members]) => instancesOutlet(scene, target, members)).filter(isAlive);
}

function newestHeld(scene: Scene): Outlet | null {
  const { view } = scene;
  const held = view.instances.filter(
    (instance) => !isNamed(view, instance) && generationOf(instance.version) !== view.service.primary,
  );
  const newest = newestGeneration(held.filter(isUsable));
  if (newest === null) return null;
  const members = held.filter((instance) => generationOf(instance.version) === newest);
  return instancesOutlet(scene, generationTarget(view.service.name, newest), members);
}
