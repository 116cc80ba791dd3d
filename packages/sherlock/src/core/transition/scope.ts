import type { MapName, Plan, PlannedBlock, PlannedServer } from "../model/plan.ts";
import type { Running } from "../model/running.ts";

/** What of a plan, and of a running HAProxy, is compared. */
export interface Scope {
  /** Of the plan: backend → its servers. */
  readonly servers: Iterable<readonly [backend: string, servers: ReadonlyMap<string, PlannedServer>]>;
  /** The backends of HAProxy. */
  readonly backends: Iterable<string>;
  /** Of the plan: the content of blocks by their base. */
  readonly blocks: ReadonlyMap<number, PlannedBlock>;
  /** The bases of HAProxy's blocks. */
  readonly bases: Iterable<number>;
  /** The entries that the plan has in a map. */
  wanted(map: MapName): ReadonlyMap<string, string>;
  /** The keys that HAProxy has in a map. */
  held(map: MapName): Iterable<string>;
}

/** All that there is. */
export function wholeScope(running: Running, plan: Plan): Scope {
  return {
    servers: plan.servers,
    backends: running.servers.keys(),
    blocks: new Map(plan.blocks),
    bases: running.blocks.keys(),
    wanted: (map) => new Map(plan.maps[map]),
    held: (map) => running.maps[map].keys(),
  };
}

/**
 * What differs from the plan that HAProxy is all of: of the rest it is known that it is as it is wanted, whatever the
 * size of the table.
 */
export function changedScope(running: Running, before: Plan, plan: Plan): Scope {
  const services = [...plan.parts.differences(before.parts)];
  const now = services.flatMap((service) => plan.parts.get(service) ?? []);
  const parts = [...now, ...services.flatMap((service) => before.parts.get(service) ?? [])];
  const keysOf = (map: MapName): string[] => parts.flatMap(({ entries }) => (entries[map] ?? []).map(([key]) => key));
  return {
    servers: now.flatMap(({ backends }) => [...backends].map(([name, { servers }]) => [name, servers] as const)),
    backends: new Set(parts.flatMap(({ backends }) => [...backends.keys()])),
    blocks: new Map(now.flatMap(({ blocks }) => blocks)),
    bases: new Set(parts.flatMap(({ blocks }) => blocks.map(([base]) => base))),
    wanted(map) {
      if (map === "state") return plan.maps.state;
      // What others have there too stays as they have it.
      if (map === "marks") return new Map(keysOf(map).flatMap((key) => entryOf(plan.maps.marks, key)));
      return new Map(now.flatMap(({ entries }) => entries[map] ?? []));
    },
    held(map) {
      const has = running.maps[map];
      return map === "state" ? has.keys() : new Set(keysOf(map).filter((key) => has.has(key)));
    },
  };
}

function entryOf(map: ReadonlyMap<string, string>, key: string): [key: string, value: string][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}
