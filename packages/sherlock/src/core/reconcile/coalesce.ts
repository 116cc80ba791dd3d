/** When a reload is due: soon, but not for each of many changes that come together, and not too often. */
export interface CoalesceLimits {
  /** How long nothing has to be added before it happens. */
  readonly quietMs: number;
  /** How long the first change waits at most. */
  readonly waitMsMax: number;
  /** From the end of one reload to the start of the next: old workers come at most this often. */
  readonly gapMs: number;
}

/** Changes that wait for one reload. */
export interface PendingReload {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Adds a change that came at `nowMs`. */
export function addChange(pending: PendingReload | null, nowMs: number): PendingReload {
  return { firstMs: pending?.firstMs ?? nowMs, lastMs: nowMs };
}

/** When a pending reload is due, in the same milliseconds; `lastReloadMs` is null before the first reload. */
export function dueAtMs(pending: PendingReload, lastReloadMs: number | null, limits: CoalesceLimits): number {
  const wanted = Math.min(pending.lastMs + limits.quietMs, pending.firstMs + limits.waitMsMax);
  return lastReloadMs === null ? wanted : Math.max(wanted, lastReloadMs + limits.gapMs);
}
