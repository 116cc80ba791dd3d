/** How long a file must stay unchanged before it is read, as an editor may be in the middle of writing it. */
export const SETTLE_MS = 40;
/**
 * The same for a file that was moved into place: long enough for the system to report that it is being written after
 * all.
 */
export const WHOLE_MS = 3;
/** How long a file may keep changing until it is read all the same, as something may write to it without end. */
export const UNSETTLED_MS_MAX = 500;
/**
 * How long a file must be missing before it counts as removed, as some editors remove a file and then write it anew.
 */
export const GONE_MS = 300;

/** What is known of one file. A stamp stands for the content: equal stamps, equal content. */
export interface Tracked {
  /** The stamp of the content that was read last; null before the first read. */
  readonly read: string | null;
  /**
   * A change that was not read yet: its stamp (null for a missing file), since when the file has had it, and when the
   * change began.
   */
  readonly pending: { readonly stamp: string | null; readonly sinceMs: number; readonly changedMs: number } | null;
}

/** Files by path, each as it was when it was last looked at. */
export type Files = ReadonlyMap<string, Tracked>;

/** What one look at the files asks for. */
export interface Looked {
  readonly files: Files;
  /** The paths to read now, and those that are gone for good. */
  readonly read: readonly string[];
  readonly gone: readonly string[];
  /** When to look again whatever happens; null when nothing is under way. */
  readonly againInMs: number | null;
}

/**
 * Compares what is known of the files with what is there now, path by stamp.
 * @param wholeSinceMs since when a file stands whole under its name; null where it may still be written.
 */
export function look(
  files: Files,
  found: ReadonlyMap<string, string>,
  nowMs: number,
  wholeSinceMs: (path: string, stamp: string) => number | null = () => null,
): Looked {
  const next = new Map<string, Tracked>();
  const read: string[] = [];
  const gone: string[] = [];
  let againInMs: number | null = null;
  // A new file while another is away may be that one under a new name: both are believed at once, or the two would
  // claim the same instance for a moment.
  const isAnyAway = [...files.keys()].some((path) => !found.has(path));
  for (const path of new Set([...files.keys(), ...found.keys()])) {
    const stamp = found.get(path) ?? null;
    const before = files.get(path) ?? { read: null, pending: null };
    if (stamp !== null && stamp === before.read) {
      next.set(path, { read: stamp, pending: null });
      continue;
    }
    const changedMs = before.pending?.changedMs ?? nowMs;
    const pending = before.pending?.stamp === stamp ? before.pending : { stamp, sinceMs: nowMs, changedMs };
    const isSlow = stamp === null || (before.read === null && isAnyAway);
    const wholeMs = stamp === null || isSlow ? null : wholeSinceMs(path, stamp);
    const settledMs = wholeMs === null ? pending.sinceMs + (isSlow ? GONE_MS : SETTLE_MS) : wholeMs + WHOLE_MS;
    const leftMs = (stamp === null ? settledMs : Math.min(settledMs, changedMs + UNSETTLED_MS_MAX)) - nowMs;
    // Below a millisecond timers are not exact.
    if (leftMs >= 1) {
      next.set(path, { read: before.read, pending });
      againInMs = Math.min(againInMs ?? leftMs, leftMs);
    } else if (stamp === null) gone.push(path);
    else {
      next.set(path, { read: stamp, pending: null });
      read.push(path);
    }
  }
  return { files: next, read, gone, againInMs };
}

/**
 * Takes the files as they are, without waiting for them to settle: at a start nothing is announced yet that a
 * half-written file could take away.
 */
export function firstLook(found: ReadonlyMap<string, string>): Files {
  return new Map([...found].map(([path, stamp]) => [path, { read: stamp, pending: null }]));
}
