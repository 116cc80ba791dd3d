/** The rhythm of one check. */
export interface Rhythm {
  readonly intervalMs: number;
  /** Where in the interval its turn is, from 0 to below 1; see `phaseOf`. */
  readonly phase: number;
  /** Turns are this far apart, so that some checks have the same; see `turnGapMs`. */
  readonly gapMs: number;
}

/** The most that checks are put together: a quarter of a second. */
const GAP_MS_MAX = 250;
/** So many checks have the same turn on average, where there are enough of them. */
const CHECKS_A_TURN = 10;

/**
 * How far apart the turns of checks are. A process that wakes for a check pays for its cold caches; checks that come
 * together pay once. Beyond ten in a turn nothing is gained, and they would delay each other.
 */
export function turnGapMs(checksPerSecond: number): number {
  return Math.max(1, Math.min(GAP_MS_MAX, Math.floor((CHECKS_A_TURN * 1_000) / checksPerSecond)));
}

/**
 * The place of a check in its interval, from 0 to below 1: a hash of its name, so that checks are spread evenly and
 * keep their turn across restarts. FNV-1a, then the finaliser of MurmurHash3, since names that differ in their last
 * digit only would otherwise stand side by side.
 */
export function phaseOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * The check's first turn after a moment. Turns are fixed points of the monotonic clock, so that a late or a long check
 * shifts none, and those that passed meanwhile are left out and not made up for.
 */
export function nextTurnMs(afterMs: number, { intervalMs, phase, gapMs }: Rhythm): number {
  const offsetMs = Math.floor((phase * intervalMs) / gapMs) * gapMs;
  const turn = Math.floor((afterMs - offsetMs) / intervalMs) + 1;
  const dueMs = offsetMs + turn * intervalMs;
  // Rounding may land on the moment itself.
  return dueMs > afterMs ? dueMs : dueMs + intervalMs;
}

/** When the check after one that was due at `dueMs` and ended at `endedMs` starts; in doubt it does not wait for its turn. */
export function nextCheckMs(
  { dueMs, endedMs, inDoubt }: { readonly dueMs: number; readonly endedMs: number; readonly inDoubt: boolean },
  { recheckMs, ...rhythm }: Rhythm & { readonly recheckMs: number },
): number {
  // A timer may fire a fraction early: counting from the later of both keeps one turn from being taken twice.
  const turnMs = nextTurnMs(Math.max(dueMs, endedMs), rhythm);
  return inDoubt ? Math.min(turnMs, endedMs + recheckMs) : turnMs;
}
