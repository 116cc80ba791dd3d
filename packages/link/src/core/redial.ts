import { type Backoff, backoff } from "@datawire/runtime";

/** Why an attempt ended: the directory was not reached, or it refused this program, which only a person can change. */
export type Failure = "unreachable" | "refused";

/** Where the next attempt goes, and what this round over the replicas has met so far. */
export interface Redial {
  /** Index of the replica. */
  readonly replica: number;
  /** Of this round; shorter than the list of replicas. */
  readonly failures: readonly Failure[];
  readonly backoff: Backoff;
}

/** What decides when a directory is tried again. */
export interface RedialOptions {
  readonly replicas: number;
  /** What the directory last said that its lease is; null before it has said so. */
  readonly leaseMs: number | null;
  readonly random: () => number;
}

const WAIT_BASE_MS = 100;
/**
 * What is waited between rounds at the most. A directory that has started believes for one lease, its warm-up, that
 * Watsons may be on their way back; so several attempts have to fit into one, however short it is.
 */
const WAIT_MS_MAX = 3_000;
const WAITS_A_LEASE = 5;
/** For a directory that has not said what its lease is. */
const WAIT_MS_MAX_UNKNOWN = 1_000;
/**
 * A refusal ends when a person changes something: asked again every 15 to 30 s. It may also end with a restart of the
 * directory, so that half a lease is the most where that is known.
 */
const REFUSED_WAIT_MS = 30_000;
/** How long an attempt may take, from the first packet to the `welcome`: half a lease, within these bounds. */
const ATTEMPT_MS = { min: 1_000, max: 5_000 } as const;

/** How long an attempt may take, from the first packet to the `welcome`. */
export function attemptMsMax(leaseMs: number | null): number {
  return leaseMs === null ? ATTEMPT_MS.max : Math.min(ATTEMPT_MS.max, Math.max(ATTEMPT_MS.min, leaseMs / 2));
}

function waitMsMax(leaseMs: number | null): number {
  return leaseMs === null ? WAIT_MS_MAX_UNKNOWN : Math.min(WAIT_MS_MAX, leaseMs / WAITS_A_LEASE);
}

function refusedWaitMs(leaseMs: number | null): number {
  return leaseMs === null ? REFUSED_WAIT_MS : Math.min(REFUSED_WAIT_MS, Math.max(ATTEMPT_MS.min, leaseMs / 2));
}

/** The first attempt, at the first replica. */
export function firstDial({ random, leaseMs }: RedialOptions): Redial {
  return { replica: 0, failures: [], backoff: backoff({ baseMs: WAIT_BASE_MS, capMs: waitMsMax(leaseMs), random }) };
}

/** The directory has said another lease than before: the waits are bounded by that from now on. */
export function withLease(dial: Redial, options: RedialOptions): Redial {
  return { ...dial, backoff: firstDial(options).backoff };
}

/**
 * A link that had held is lost: the next replica, at once. They are equal, and the one that was lost may have vanished
 * with its machine, where an attempt costs a whole time-out.
 */
export function afterLoss(dial: Redial, options: RedialOptions): Redial {
  return { ...firstDial(options), replica: (dial.replica + 1) % options.replicas };
}

/** An attempt failed: the next replica at once, and a wait only after a whole round. */
export function afterFailure(
  dial: Redial,
  failure: Failure,
  options: RedialOptions,
): { readonly dial: Redial; readonly delayMs: number } {
  const { replicas, random, leaseMs } = options;
  const replica = (dial.replica + 1) % replicas;
  const failures = [...dial.failures, failure];
  if (failures.length < replicas) return { dial: { ...dial, replica, failures }, delayMs: 0 };
  if (failures.every((one) => one === "refused")) {
    return { dial: { ...firstDial(options), replica }, delayMs: refusedWaitMs(leaseMs) * (0.5 + random() / 2) };
  }
  const { delayMs, backoff: next } = dial.backoff.next();
  return { dial: { replica, failures: [], backoff: next }, delayMs };
}
