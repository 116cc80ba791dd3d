import type { MapName } from "../model/plan.ts";

/** Where a worker looks for the services that it serves. */
const SERVED = ["known", "plain", "routed", "special", "kept"] as const satisfies readonly MapName[];

/**
 * What makes a worker that a reload has replaced hand over the requests that still come to it: over connections that
 * were open before, the next one of each. It forgets its services, the list of them first: at every moment a request
 * is either answered as before or handed over, and none is taken for one to an unknown service.
 */
export function handoverCommands(maps: Readonly<Record<MapName, string>>): string[] {
  return [`add map ${maps.state} worker replaced`, ...SERVED.map((name) => `clear map ${maps[name]}`)];
}
