import type { Running } from "../model/running.ts";
import type { Reload } from "../transition/waiting.ts";
import { freeSpares } from "../transition/take-spares.ts";

/** Spare backends that have been taken, which a reload makes anew. */
export interface Refill {
  readonly taken: number;
  /** When the first of them was noted, and when the last. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Nothing has taken one for so long. */
const QUIET_MS = 1_000;
/** Where they are taken one after the other, it is made so much later. */
const WAIT_MS_MAX = 10_000;
/** From the end of one reload, or of an attempt, to this one. */
const GAP_MS = 10_000;

/** Notes what has been taken by now. */
export function noteTaken(refill: Refill | null, { carried }: Running, nowMs: number): Refill | null {
  if (carried.size === 0) return null;
  if (refill?.taken === carried.size) return refill;
  return { taken: carried.size, firstMs: refill?.firstMs ?? nowMs, lastMs: nowMs };
}

/**
 * When HAProxy is reloaded for new spare backends; null for not yet. What stands in one is served as well as any other,
 * so that there is no hurry: the reload comes when half of them are gone, and nothing more takes one for a moment.
 */
export function refillAtMs(refill: Refill | null, running: Running, lastReloadMs: number | null): number | null {
  const { length } = running.loaded.spares;
  if (refill === null || freeSpares(running).length * 2 >= length) return null;
  const wantedMs = Math.min(refill.lastMs + QUIET_MS, refill.firstMs + WAIT_MS_MAX);
  return lastReloadMs === null ? wantedMs : Math.max(wantedMs, lastReloadMs + GAP_MS);
}

/** The reload for new spare backends. */
export function refillReload({ taken }: Refill): Reload {
  return { reason: "spares", detail: `${taken} are taken` };
}
