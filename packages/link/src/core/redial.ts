import { type Backoff, backoff } from "@datawire/runtime";

/** Why an attempt ended: nobody there, or somebody who will not have us, which only a person can change. */
export type Failure = "unreachable" | "refused";

/** Where the next attempt goes, and what this round over the replicas has met so far. */
export interface Redial {
  /** Index of the replica. */
  readonly replica: number;
  /** Of this round; shorter than the list of replicas. */
  readonly failures: readonly Failure[];
  readonly backoff: Backoff;
}

export interface RedialOptions {
  readonly replicas: number;
  readonly random: () => number;
}

/** Waits between rounds: at most 3 s, so that a directory that comes back is found well within a lease. */
const WAIT = { baseMs: 100, capMs: 3_000 } as const;
/** A refusal ends when a person changes something: asked again every 15 to 30 s. */
const REFUSED_WAIT_MS = 30_000;

/** The first attempt, at the first replica. */
export function firstDial({ random }: RedialOptions): Redial {
  return { replica: 0, failures: [], backoff: backoff({ ...WAIT, random }) };
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
  { replicas, random }: RedialOptions,
): { readonly dial: Redial; readonly delayMs: number } {
  const replica = (dial.replica + 1) % replicas;
  const failures = [...dial.failures, failure];
  if (failures.length < replicas) return { dial: { ...dial, replica, failures }, delayMs: 0 };
  if (failures.every((one) => one === "refused")) {
    return { dial: { ...firstDial({ replicas, random }), replica }, delayMs: REFUSED_WAIT_MS * (0.5 + random() / 2) };
  }
  const { delayMs, backoff: next } = dial.backoff.next();
  return { dial: { replica, failures: [], backoff: next }, delayMs };
}
