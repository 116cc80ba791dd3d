import type { DeliveryState } from "@datawire/amqp";
import type { MessageRecord } from "../log/record.ts";

/** A message on its way to a consumer. */
export interface Delivery {
  /** Its place in the address; of a topic, its offset. */
  readonly sequence: number;
  readonly record: MessageRecord;
  /** How often its delivery has failed. */
  readonly failures: number;
  /** How many messages before this one the subscription has missed, as they were dropped to make room. */
  readonly missed: number;
}

/** Who takes messages. */
export interface ConsumerPort {
  /** Whether it takes one more: it has credit, and room on its way. */
  wants(): boolean;
  /** Its payload is good during the call. */
  deliver(delivery: Delivery): void;
  /** It wants one more, and there is none for it now. */
  exhausted(): void;
  /** What it takes; null for everything. */
  readonly filter: ((record: MessageRecord) => boolean) | null;
}

/**
 * The outcome of a message at a consumer; `told` is the state as it came, with its annotations and its error, to be
 * passed on.
 */
export type Outcome =
  | { readonly outcome: "accepted" }
  | { readonly outcome: "released" }
  /** `condition` is what the consumer called it, for a sender that hears of it; left out where it said none. */
  | {
      readonly outcome: "rejected";
      readonly reason: string;
      readonly condition?: string;
      readonly told?: DeliveryState;
    }
  | {
      readonly outcome: "modified";
      readonly failed: boolean;
      readonly undeliverableHere: boolean;
      readonly told?: DeliveryState;
    };

/** A message that goes to the dead letters, and why. */
export interface Dead {
  readonly sequence: number;
  readonly record: MessageRecord;
  readonly reason: string;
}

/** What a queue does at its limits. */
export interface QueueConfig {
  readonly maxDeliveries: number;
  readonly expired: "drop" | "dead";
}

/** Why a message is buried. */
export const reasonOf = (outcome: Outcome, { maxDeliveries }: QueueConfig): string =>
  outcome.outcome === "rejected" ? outcome.reason : `delivered ${maxDeliveries} times in vain`;

/** What a queue or a topic cannot do alone. */
export interface DeadLetters {
  /** Takes a message into the queue of dead letters, with the same write, where they are kept. */
  bury(dead: Dead): void;
  /** A message's time was over. */
  expired(): void;
}

/**
 * Whether the time of a message is over.
 * @param sinceMs since when it counts; null where it is gone.
 */
export function isExpired({ ttlMs }: Pick<MessageRecord, "ttlMs">, sinceMs: number | null, nowMs: number): boolean {
  return ttlMs > 0 && sinceMs !== null && nowMs >= sinceMs + ttlMs;
}

/** When to look again at an expired message that a consumer has. */
export const EXPIRY_RETRY_MS = 1_000;

/**
 * How long a message has from its acceptance on, 0 for no end; below 0 where that is over before it begins.
 * @param times.expiresAtMs milliseconds since 1970 at which it ends in any case; left out for never.
 * @param wallMs the time of day, as its sender knows it too: the time that messages are judged by is off where the clock was
 * set since the start.
 */
export function lifetimeOf(
  { ttlMs, expiresAtMs }: { readonly ttlMs: number; readonly expiresAtMs?: number },
  wallMs: number,
): number {
  if (expiresAtMs === undefined) return ttlMs;
  const leftMs = Math.round(expiresAtMs - wallMs);
  if (leftMs <= 0) return -1;
  return ttlMs === 0 ? leftMs : Math.min(ttlMs, leftMs);
}
