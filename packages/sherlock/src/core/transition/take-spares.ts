import type { Plan } from "../model/plan.ts";
import { hasBackend, ownerOf, type Running } from "../model/running.ts";
import { fitsSpare } from "../model/spares.ts";
import { type Waiting, waitingFor, type WaitingOptions } from "./waiting.ts";

/** Which backends come to stand in which spare ones, and what then still waits. */
export interface SparesTaken {
  readonly taken: ReadonlyMap<string, string>;
  readonly waiting: Waiting;
}

/**
 * Gives spare backends to services that would wait for a reload, where nothing else of them needs one. None of those
 * that wait gets any: they come with the reload, as a whole.
 */
export function takeSpares(running: Running, plan: Plan, options: WaitingOptions): SparesTaken {
  const waiting = waitingFor(running, plan, options);
  const free = freeSpares(running);
  if (waiting.services.size === 0 || free.length === 0 || running.loaded.shared !== options.shared)
    return { taken: new Map(), waiting };
  const offered = new Map<string, string>();
  for (const service of [...waiting.services].sort()) {
    const missing = missingBackends(running, plan, service);
    const own = missing?.filter((name) => !offered.has(name)) ?? [];
    if (missing === null || offered.size + own.length > free.length) continue;
    for (const name of own) offered.set(name, free[offered.size] as string);
  }
  if (offered.size === 0) return { taken: offered, waiting };
  const ready = { ...running, carried: new Map([...running.carried, ...offered]) };
  const left = waitingFor(ready, plan, options);
  return { taken: new Map([...offered].filter(([name]) => !left.services.has(ownerOf(name)))), waiting: left };
}

/** The spare backends that nothing has stood in yet. */
export function freeSpares({ loaded, carried }: Pick<Running, "loaded" | "carried">): string[] {
  const used = new Set(carried.values());
  return loaded.spares.filter((name) => !used.has(name));
}

/** The backends that a service lacks; null where no spare one can be one of them. */
function missingBackends(running: Running, { needs, structure }: Plan, service: string): string[] | null {
  const missing: string[] = [];
  for (const name of needs.get(service)?.backends ?? []) {
    const backend = structure.backends.get(name);
    if (backend === undefined || hasBackend(running, name)) continue;
    if (!fitsSpare(backend)) return null;
    missing.push(name);
  }
  return missing;
}
