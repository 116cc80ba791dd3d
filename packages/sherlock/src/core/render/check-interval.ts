import type { Plan } from "../model/plan.ts";

/** So many servers that are fine are asked by HAProxy in a second, whatever their number (decision 43). */
const CHECKS_PER_SECOND = 50;
const STEP_SECONDS = 30;
const STEPS_MAX = 20;

const counted = new WeakMap<Plan["servers"], number>();

/**
 * How often HAProxy itself asks a server that is fine whether it takes connections, in seconds: 30 for up to 1,500
 * servers, 30 more for each 1,500 beyond these, and 600 at the most. It is in steps, so that one instance more or less makes
 * no other configuration.
 */
export function checkSeconds(servers: Plan["servers"]): number {
  const steps = Math.ceil(countOf(servers) / (CHECKS_PER_SECOND * STEP_SECONDS));
  return STEP_SECONDS * Math.min(Math.max(steps, 1), STEPS_MAX);
}

/** The servers of a plan are the same object for as long as it is used. */
function countOf(servers: Plan["servers"]): number {
  const known = counted.get(servers);
  if (known !== undefined) return known;
  let count = 0;
  for (const ofBackend of servers.values()) count += ofBackend.size;
  counted.set(servers, count);
  return count;
}
