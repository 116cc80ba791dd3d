import { formatDuration } from "@datawire/protocol";
import type { Health } from "./health.ts";

/** Changes of mind within `WINDOW_MS` that are announced: three outages a minute. One more and the instance is held down. */
export const CHANGES_MAX = 6;
/** The time within which changes of mind are counted. */
export const WINDOW_MS = 60_000;
/** How long its checks must agree before an instance that was held down comes back. */
export const CALM_MS = 30_000;

/** How restless an instance has been. Moments are on the monotonic clock. */
export interface Damping {
  /** The latest changes, oldest first; never more than `CHANGES_MAX` + 1. */
  readonly changesMs: readonly number[];
  /** Until when it is held down if it does not change again; null when it is not. */
  readonly heldUntilMs: number | null;
}

/** An instance that has not changed yet. */
export const STEADY: Damping = { changesMs: [], heldUntilMs: null };

/** Notes that an instance went from live to down or back. */
export function noteChange(damping: Damping, nowMs: number): Damping {
  const wasHeld = damping.heldUntilMs !== null;
  if (wasHeld && isHeld(damping, nowMs)) return { ...damping, heldUntilMs: nowMs + CALM_MS };
  // A hold that ended has wiped the slate: what came before it must not count twice.
  const before = wasHeld ? [] : damping.changesMs.filter((atMs) => atMs > nowMs - WINDOW_MS);
  const changesMs = [...before, nowMs].slice(-CHANGES_MAX - 1);
  return { changesMs, heldUntilMs: changesMs.length > CHANGES_MAX ? nowMs + CALM_MS : null };
}

/** Whether an instance is held down at a moment of the monotonic clock. */
export function isHeld({ heldUntilMs }: Damping, nowMs: number): boolean {
  return heldUntilMs !== null && nowMs < heldUntilMs;
}

/** The health to announce: a flapping instance is down, whatever its checks say at this moment. */
export function damped(health: Health, damping: Damping, nowMs: number): Health {
  if (health.state !== "live" || !isHeld(damping, nowMs)) return health;
  return { state: "down", reason: FLAPPING, cause: "failed" };
}

const FLAPPING = `flapping: more than ${CHANGES_MAX} changes in ${formatDuration(WINDOW_MS)}; back after ${formatDuration(CALM_MS)} without one`;
