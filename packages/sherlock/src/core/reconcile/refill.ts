import type { Running } from "../model/running.ts";
import { freeSpares } from "../transition/take-spares.ts";
import type { Reload } from "../transition/waiting.ts";
import { addChange, type CoalesceLimits, dueAtMs, type PendingReload } from "./coalesce.ts";

/** Spare backends that have been taken, which a reload makes anew: each change took some more. */
export interface Refill extends PendingReload {
  readonly taken: number;
}

/** Notes what has been taken by now. */
export function noteTaken(refill: Refill | null, { carried }: Running, nowMs: number): Refill | null {
  if (carried.size === 0) return null;
  return refill?.taken === carried.size ? refill : { ...addChange(refill, nowMs), taken: carried.size };
}

/**
 * When HAProxy is reloaded for new spare backends; null for not yet. What stands in one is served as any other is, so
 * that nothing hurries: half of them have to be gone.
 */
export function refillAtMs(
  refill: Refill | null,
  running: Running,
  { lastReloadMs, limits }: { readonly lastReloadMs: number | null; readonly limits: CoalesceLimits },
): number | null {
  const isEnough = freeSpares(running).length * 2 >= running.loaded.spares.length;
  return refill === null || isEnough ? null : dueAtMs(refill, lastReloadMs, limits);
}

/** The reload for new spare backends. */
export function refillReload({ taken }: Refill): Reload {
  return { reason: "spares", detail: `${taken} are taken` };
}
