import type { ServiceView } from "@datawire/catalog";
import type { Command } from "../model/commands.ts";
import { pairOf } from "../model/blocks.ts";
import { type Plan, POINTER_MAPS } from "../model/plan.ts";
import { ownerOf, type Running } from "../model/running.ts";
import { changedScope, wholeScope } from "./scope.ts";
import { steps } from "./steps.ts";
import { takeSpares } from "./take-spares.ts";
import { type Reload, type Waiting, waitingFor, type WaitingOptions } from "./waiting.ts";

/** What makes a running HAProxy follow a plan: commands now, and the reload that the rest needs. Both may be empty. */
export interface Round {
  readonly commands: readonly Command[];
  readonly reload: Reload | null;
  /** What HAProxy follows once the commands have been done: the plan, or what holds until the reload. */
  readonly now: Plan;
  /** Whether HAProxy then is all of it, with nothing left as it was. */
  readonly settles: boolean;
}

/** What one round of changes depends on beside the plan. */
export interface RoundOptions extends WaitingOptions {
  /** Makes the plan in which some services are as they were in these views, but for who has died since; null for one that was not. */
  readonly interim: (held: ReadonlyMap<string, ServiceView | null>) => Plan;
}

/**
 * Says what to do next so that a running HAProxy becomes what a plan says. Each service takes what changes as a whole:
 * by commands, or with a reload. Until the reload it goes on as it was, without those who have died.
 */
export function nextRound(running: Running, wanted: Plan, options: RoundOptions): Round {
  const { taken, waiting } = takeSpares(running, wanted, options);
  const { reload, services } = waiting;
  const carried = new Map([...running.carried, ...taken]);
  const ready = taken.size === 0 ? running : { ...running, carried };
  const { now, frozen } =
    services.size === 0 ? { now: wanted, frozen: services } : between(ready, { waiting, ...options });
  const { followed } = options;
  const isPart = followed !== null && options.isSettled && frozen.size === 0;
  const scope = isPart ? changedScope(ready, followed, now) : wholeScope(ready, now);
  const commands = steps(ready, now, { frozen, followed, scope });
  const takes = [...taken].map(([backend, spare]): Command => ({ kind: "take-spare", backend, spare }));
  return {
    commands: [...takes, ...commands],
    reload,
    now: carried.size === 0 ? now : { ...now, carried },
    settles: frozen.size === 0,
  };
}

/** What can be followed of services that wait; what was followed of some may not be known, or not be had any more. */
function between(
  running: Running,
  { waiting, ...options }: RoundOptions & { readonly waiting: Waiting },
): { readonly now: Plan; readonly frozen: ReadonlySet<string> } {
  const { followed, interim } = options;
  const held = new Map<string, ServiceView | null>();
  const frozen = new Set<string>();
  for (const service of waiting.services) {
    const view = followed?.views.get(service);
    const isUnknown = followed === null ? running.maps.known.has(service) : followed.unknown?.has(service) === true;
    if (isUnknown) frozen.add(service);
    else held.set(service, view ?? null);
  }
  const unknown = new Set(frozen);
  const now = interim(held);
  const views = unknown.size === 0 ? now.views : new Map([...now.views].filter(([service]) => !unknown.has(service)));
  const lost = waitingFor(running, now, options).services;
  for (const service of held.keys()) if (lost.has(service)) frozen.add(service);
  addDisplaced(frozen, running, now);
  return { now: { ...now, maps: withRevisionOf(running, now), views, unknown }, frozen };
}

/** While something waits, requests are told the revision that all services followed before. */
function withRevisionOf(running: Running, { maps }: Plan): Plan["maps"] {
  if (!maps.state.has("revision")) return maps;
  const state = new Map(maps.state);
  const before = running.maps.state.get("revision");
  if (before === undefined) state.delete("revision");
  else state.set("revision", before);
  return { ...maps, state };
}

/** Services that are planned a block which a frozen one has: theirs are the names that come after it. */
function addDisplaced(frozen: Set<string>, running: Running, plan: Plan): void {
  if (frozen.size === 0) return;
  const kept = new Set<number>();
  for (const map of POINTER_MAPS)
    for (const [key, pointer] of running.maps[map]) if (frozen.has(ownerOf(key))) kept.add(pairOf(Number(pointer)));
  for (const map of POINTER_MAPS)
    for (const [key, base] of plan.maps[map]) if (kept.has(Number(base))) frozen.add(ownerOf(key));
}
