import { type Belief, LIVE, observe, type Probe, UNKNOWN } from "../model/belief.ts";
import { type Damping, damped, noteChange, STEADY } from "./damping.ts";
import { combine, type Health } from "./health.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";

/** One instance under observation. Never changes: a new one comes of each observation that matters. */
export interface MonitoredInstance {
  readonly definition: ServiceDefinition;
  /** By check id; one for each check of the instance, in their order. */
  readonly beliefs: ReadonlyMap<string, Belief>;
  readonly health: Health;
  readonly damping: Damping;
}

/** An instance without any outcome yet, or one that was live before a restart and is so until it fails `fall` times. */
export function createMonitored(definition: ServiceDefinition, { believedLive = false } = {}): MonitoredInstance {
  return {
    definition,
    beliefs: new Map(definition.checks.map(({ id }) => [id, believedLive ? LIVE : UNKNOWN])),
    health: believedLive ? { state: "live" } : { state: "unknown" },
    damping: STEADY,
  };
}

/**
 * The instance after its file was edited. Checks that stayed keep their beliefs; a check that is new to a live instance
 * has to fail as often as any other to take it out.
 */
export function revise(monitored: MonitoredInstance, definition: ServiceDefinition, nowMs: number): MonitoredInstance {
  const fresh = monitored.health.state === "live" ? LIVE : UNKNOWN;
  const beliefs = new Map(definition.checks.map(({ id }) => [id, monitored.beliefs.get(id) ?? fresh]));
  return settle({ ...monitored, definition, beliefs }, nowMs);
}

/** Folds one probe in; the same object comes back when nothing changed. */
export function observeMonitored(
  monitored: MonitoredInstance,
  { checkId, probe }: { readonly checkId: string; readonly probe: Probe },
  nowMs: number,
): MonitoredInstance {
  const check = monitored.definition.checks.find(({ id }) => id === checkId);
  const before = monitored.beliefs.get(checkId);
  if (check === undefined || before === undefined) return monitored; // the end of a check that an edit removed
  const after = observe(before, probe, check);
  if (after === before) return monitored;
  return settle({ ...monitored, beliefs: new Map(monitored.beliefs).set(checkId, after) }, nowMs);
}

/** The health to announce. */
export function healthOf(monitored: MonitoredInstance, nowMs: number): Health {
  return damped(monitored.health, monitored.damping, nowMs);
}

function settle(monitored: MonitoredInstance, nowMs: number): MonitoredInstance {
  const health = combine(monitored.beliefs.values(), monitored.health);
  const flipped = monitored.health.state !== "unknown" && health.state !== monitored.health.state;
  return { ...monitored, health, damping: flipped ? noteChange(monitored.damping, nowMs) : monitored.damping };
}
