import { type Belief, LIVE, observe, type Probe, UNKNOWN } from "../model/belief.ts";
import { type Damping, damped, noteChange, STEADY } from "./damping.ts";
import { combine, type Health } from "./health.ts";
import type { Instance } from "../model/service-definition.ts";

/** One instance under observation. Never changes: a new one comes of each observation that matters. */
export interface MonitoredInstance {
  readonly instance: Instance;
  /** By check id; one for each check of the instance, in their order. */
  readonly beliefs: ReadonlyMap<string, Belief>;
  readonly health: Health;
  readonly damping: Damping;
}

/** An instance nothing is known of, or one that was live when Watson last looked and has to fail `fall` times to be out. */
export function createMember(instance: Instance, { believedLive = false } = {}): MonitoredInstance {
  return {
    instance,
    beliefs: new Map(instance.checks.map(({ id }) => [id, believedLive ? LIVE : UNKNOWN])),
    health: believedLive ? { state: "live" } : { state: "unknown" },
    damping: STEADY,
  };
}

/**
 * The member after its file was edited. Checks that stayed keep their beliefs; a check that is new to a live instance
 * has to fail as often as any other to take it out.
 */
export function revise(member: MonitoredInstance, instance: Instance, nowMs: number): MonitoredInstance {
  const fresh = member.health.state === "live" ? LIVE : UNKNOWN;
  const beliefs = new Map(instance.checks.map(({ id }) => [id, member.beliefs.get(id) ?? fresh]));
  return settle({ ...member, instance, beliefs }, nowMs);
}

/** Folds one probe in; the same object comes back when nothing changed. */
export function observeMember(
  member: MonitoredInstance,
  { checkId, probe }: { readonly checkId: string; readonly probe: Probe },
  nowMs: number,
): MonitoredInstance {
  const check = member.instance.checks.find(({ id }) => id === checkId);
  const before = member.beliefs.get(checkId);
  if (check === undefined || before === undefined) return member; // the end of a check that an edit removed
  const after = observe(before, probe, check);
  if (after === before) return member;
  return settle({ ...member, beliefs: new Map(member.beliefs).set(checkId, after) }, nowMs);
}

/** The health to announce. */
export function healthOf(member: MonitoredInstance, nowMs: number): Health {
  return damped(member.health, member.damping, nowMs);
}

function settle(member: MonitoredInstance, nowMs: number): MonitoredInstance {
  const health = combine(member.beliefs.values(), member.health);
  const flipped = member.health.state !== "unknown" && health.state !== member.health.state;
  return { ...member, health, damping: flipped ? noteChange(member.damping, nowMs) : member.damping };
}
