import type { Clock } from "@datawire/runtime";

/** How long nothing may move before it is asked why. */
const STALL_MS = 3_000;
/** Addresses at which a sender waits for whoever receives; a queue and a topic keep what comes. */
const HANDED_ON: ReadonlySet<unknown> = new Set(["direct", "service", "link"]);

/** Whom a stall is told of, and how its reason is found. */
export interface StallDeps {
  readonly clock: Pick<Clock, "sleep">;
  /** Whether an answer is waited for, and not only that the message is taken. */
  readonly wantsAnswer: boolean;
  /** Whether anything has become of what was sent. */
  hasMoved(): boolean;
  /** Asks the router why nothing moves; a broker of another make knows no such question. */
  ask(): Promise<unknown>;
  note(text: string): void;
}

interface Why {
  readonly kind?: unknown;
  readonly state?: unknown;
  readonly reason?: unknown;
  readonly text?: unknown;
}

/**
 * Says why a command waits, once, where nothing has moved for 3 s and the router says what stands in the way: without a
 * word, a full queue looks like a router that hangs. One that is merely slow is waited for in silence. It never rejects.
 */
export async function tellStall(
  address: string,
  { clock, wantsAnswer, hasMoved, ask, note }: StallDeps,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(STALL_MS, signal);
  if (signal.aborted || hasMoved()) return;
  const answer = (await ask().catch(() => null)) as Why | null;
  if (signal.aborted || hasMoved() || typeof answer?.text !== "string" || typeof answer.reason !== "string") return;
  if (wantsAnswer || answer.state === "full" || HANDED_ON.has(answer.kind))
    note(`waiting: ${address} is ${String(answer.state)}: ${answer.text}`);
}
