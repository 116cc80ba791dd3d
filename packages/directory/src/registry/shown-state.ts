import type { Instance, InstanceState, Registration } from "@datawire/protocol";

/** What a Watson has stated of an instance. */
export interface Statement {
  readonly said: Registration;
  /** Since when its Watson says what it says of the state. */
  readonly saidSinceMs: number;
}

/** What is announced at the address of an instance whose Watson is lost. */
export interface Replacement {
  readonly key: string;
  /** The name of the Watson that announces it. */
  readonly watson: string;
  readonly sinceMs: number;
}

/** The state of an instance as others are told, why, and since when. */
export interface ShownState {
  readonly state: InstanceState;
  readonly reason: string | null;
  readonly since: number;
}

/**
 * What others are told of an instance: its Watson's word, unless an operator or a lost link says otherwise. It follows
 * from what is stored alone, so that directories on one store, and one that restarts, say the same.
 */
export function shownState(
  { said, saidSinceMs }: Statement,
  {
    lost,
    replaced,
    drainedMs,
  }: {
    /** Who holds it, in words, where that one is out of sight. */
    readonly lost: { readonly holder: string; readonly sinceMs: number } | null;
    readonly replaced: Replacement | null;
    readonly drainedMs: number | null;
  },
): ShownState {
  const { state, reason } = said;
  if (state !== "live") return { state, reason, since: saidSinceMs };
  if (drainedMs !== null) return { state: "draining", reason: "drained by an operator", since: drainedMs };
  if (replaced !== null) {
    const { key, watson, sinceMs } = replaced;
    return {
      state: "down",
      reason: `its Watson is out of sight, and the one on ${watson} announces //${key} at that address`,
      since: sinceMs,
    };
  }
  // Only what was live becomes lost, and stays in use: a lost link brings nothing back to life.
  if (lost !== null) return { state: "lost", reason: `${lost.holder} is out of sight`, since: lost.sinceMs };
  return { state, reason, since: saidSinceMs };
}

const REGISTRATION_FIELDS = [
  "state",
  "url",
  "version",
  "reason",
  "cause",
  "protocol",
  "weight",
  "zone",
  "proxyPort",
  "drainMs",
  "via",
] as const satisfies readonly (keyof Registration)[];

/** Whether two descriptions of one instance say the same. */
export function sameRegistration(a: Registration | Instance, b: Registration | Instance): boolean {
  return (
    REGISTRATION_FIELDS.every((field) => a[field] === b[field]) &&
    a.tags.join("\0") === b.tags.join("\0") &&
    a.tls?.verify === b.tls?.verify &&
    a.tls?.serverName === b.tls?.serverName
  );
}
