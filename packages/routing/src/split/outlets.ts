import { formatServiceAddress, parseServiceAddress } from "@datawire/protocol";
import { claimant, covers, isNamed, pool } from "./groups.ts";
import type { Instance, Route, RouteTable } from "@datawire/protocol";
import { isUsable, keepsSessions } from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";
import { describeGeneration, generationOf } from "@datawire/protocol";

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
export interface Outlet {
  readonly target: string;
  /** Empty when nothing of the target is live. */
  readonly parts: readonly Part[];
  /** Where the sessions of this target can live: also where no new request goes, while it drains or is in another zone. */
  readonly holders: readonly Holder[];
  /** For a division in proportion; of no meaning alone. */
  readonly weight: number;
  readonly reason: string;
}

/** Who asks: the requests of one caller, in one zone. */
export interface Viewpoint {
  /** The name of the caller, or `*`. */
  readonly caller: string;
  /** The zone of the caller, where it has one. */
  readonly zone: string | null;
}

/** The zone of a caller of which there are several: theirs where they have one, null where none of them speaks for all. */
export function sharedZone(zones: Iterable<string | null>): string | null {
  const [zone = null, ...others] = new Set(zones);
  return others.length === 0 ? zone : null;
}

/** One service as one caller sees it. */
export interface Scene {
  readonly view: ServiceView;
  readonly viewpoint: Viewpoint;
  /** The table that decides for this caller; null for none. */
  readonly routes: RouteTable | null;
  /** What a share that enters another service is there; without parts when it has nothing live there. */
  enter(target: string): Pick<Outlet, "parts" | "holders">;
}

/** What another service counts beside targets with instances of their own, where only weights tell: one plain instance. */
const CROSSING_WEIGHT = 100;

/** Whether requests can go there at all. */
export const isAlive = (outlet: Outlet): boolean => outlet.parts.length > 0;

/** The address of the service itself, which as a target is its primary. */
export function wholeService({ view }: Scene): string {
  return formatServiceAddress({ service: view.service.name, instance: null, version: null });
}

/** The instances of the primary generation that no route names; the reason says why there is none. */
export function primaryOutlet(scene: Scene): Outlet {
  const { view } = scene;
  const { primary } = view.service;
  const target = wholeService(scene);
  if (primary === null) {
    return { target, parts: [], holders: [], weight: 0, reason: "no instance was ever registered" };
  }
  const generation = view.instances.filter((instance) => generationOf(instance.version) === primary);
  const own = generation.filter((instance) => !isNamed(view, instance));
  const parts = instanceParts(scene, target, own);
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
export function routeOutlet(scene: Scene, route: Route): Outlet {
  const reason = scene.routes?.caller === "*" ? "a route for any caller" : `a route for ${scene.routes?.caller}`;
  if (parseServiceAddress(route.target).service !== scene.view.service.name) {
    const entered = scene.enter(route.target);
    return { target: route.target, ...entered, weight: CROSSING_WEIGHT, reason: `${reason} to another service` };
  }
  const targets = (scene.routes?.routes ?? []).map((other) => other.target);
  const covered = scene.view.instances.filter((instance) => covers(parseServiceAddress(route.target), instance));
  const members = covered.filter((instance) => claimant(targets, instance) === route.target);
  const others = new Set(covered.flatMap((instance) => claimant(targets, instance) ?? []));
  others.delete(route.target);
  const without = others.size === 0 ? "" : `, without the instances of ${[...others].join(" and ")}`;
  return { ...instancesOutlet(scene, route.target, members), reason: reason + without };
}

/** Some instances of a service as one outlet, which weighs as much as those of them that are usable. */
export function instancesOutlet(scene: Scene, target: string, members: readonly Instance[]): Outlet {
  const weight = members.filter(isUsable).reduce((sum, instance) => sum + instance.weight, 0);
  const parts = instanceParts(scene, target, members);
  return { target, parts, holders: holdersOf(members), weight, reason: "" };
}

/** The service's default URL; null when it has none. */
export function defaultUrlOutlet(scene: Scene): Outlet | null {
  const url = scene.view.service.settings.defaultUrl;
  if (url === null) return null;
  const target = wholeService(scene);
  const service = scene.view.service.name;
  const parts: Part[] = [{ portion: 1, target, pool: { kind: "url", service, url } }];
  return { target, parts, holders: [{ kind: "url", service, url }], weight: 1, reason: "the default URL" };
}

/** Those of some instances that requests would go to, as one part; none where no instance is usable. */
export function instanceParts(scene: Scene, target: string, members: readonly Instance[]): Part[] {
  const instances = pool(members, scene.viewpoint.zone);
  if (instances.length === 0) return [];
  return [{ portion: 1, target, pool: { kind: "instances", service: scene.view.service.name, instances } }];
}

/** Those of some instances that can have sessions. */
export function holdersOf(members: readonly Instance[]): Holder[] {
  return members.filter(keepsSessions).map((instance) => ({ kind: "instance", instance }));
}

/** All holders of several outlets, each once. */
export function joinHolders(outlets: readonly Pick<Outlet, "holders">[]): Holder[] {
  const joined = new Map<unknown, Holder>();
  for (const holder of outlets.flatMap(({ holders }) => holders)) {
    joined.set(holder.kind === "instance" ? holder.instance : holder.service, holder);
  }
  return [...joined.values()];
}

/** What several outlets are together, in proportion to their weights. */
export function blend(outlets: readonly { readonly parts: readonly Part[]; readonly weight: number }[]): Part[] {
  const total = outlets.reduce((sum, outlet) => sum + outlet.weight, 0);
  return outlets.flatMap((outlet) =>
    outlet.parts.map((part) => ({ ...part, portion: (part.portion * outlet.weight) / total })),
  );
}
