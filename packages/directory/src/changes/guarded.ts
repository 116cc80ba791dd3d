import { isUsable } from "@datawire/protocol";
import type { State } from "../registry/state.ts";

/** What would become of a service whose instances the guard holds. */
export interface EndingService {
  readonly service: string;
  /** Instances that end. */
  readonly released: number;
  /** Instances of it that stay in use. */
  readonly left: number;
}

/** More than anybody reads. */
const LISTED_MAX = 100;

/** The services that lose instances when the guard lets go, the one with the fewest left first. */
export function endingServices({ registry, table }: State): EndingService[] {
  const ending = new Map<string, Set<string>>();
  for (const key of registry.guarded) {
    const at = key.lastIndexOf("@");
    const names = ending.get(key.slice(0, at)) ?? new Set();
    ending.set(key.slice(0, at), names.add(key.slice(at + 1)));
  }
  return [...ending]
    .map(([service, names]) => {
      const instances = table.service(service)?.instances ?? [];
      const left = instances.filter((one) => isUsable(one) && !names.has(one.name)).length;
      return { service, released: names.size, left };
    })
    .toSorted((a, b) => a.left - b.left || b.released - a.released || (a.service < b.service ? -1 : 1))
    .slice(0, LISTED_MAX);
}
