import type { AddressSettings } from "../address/rules.ts";
import { Topic } from "../queue/topic.ts";
import { Queue } from "../queue/queue.ts";

interface Bounded {
  readonly kept: Queue | Topic;
  readonly settings: AddressSettings;
}

/**
 * Where bytes are bounded, senders get little credit at a time, as the size of their messages is unknown until they
 * come.
 */
const WINDOW_TIGHT = 50;

/** How many more messages there is room for; one that does not fit may still come in whole. */
export function roomOf({ kept, settings }: Bounded): number {
  const { maxMessages, maxBytes, overflow } = settings;
  if (kept instanceof Topic && kept.isHeldBack) return 0;
  if (overflow !== "refuse") return Number.POSITIVE_INFINITY;
  if (maxBytes !== null && kept.bytes >= maxBytes) return 0;
  return maxMessages === null
    ? maxBytes === null
      ? Number.POSITIVE_INFINITY
      : WINDOW_TIGHT
    : maxMessages - kept.messages;
}

/** Whether there is no room for a message of so many bytes. */
export function isFull({ kept, settings: { maxMessages, maxBytes } }: Bounded, bytes: number): boolean {
  return (
    (maxMessages !== null && kept.messages >= maxMessages) ||
    (maxBytes !== null && kept.messages > 0 && kept.bytes + bytes > maxBytes)
  );
}

/** Whether a message of so many bytes that somebody moves there is to stay where it is. */
export function isClosedTo(to: Bounded, bytes: number): boolean {
  return to.settings.overflow === "reject" ? isFull(to, bytes) : roomOf(to) <= 0;
}

/** Drops the oldest messages of a queue that has `drop-oldest`, until there is room. */
export function makeRoom(to: Bounded & { readonly counters: { dropped: number } }, bytes: number): void {
  if (to.settings.overflow !== "drop-oldest" || !(to.kept instanceof Queue)) return;
  while (isFull(to, bytes) && to.kept.dropOldest()) to.counters.dropped++;
}

/** Which bound has been reached. */
export function limitOf({ kept, settings: { maxMessages, maxBytes } }: Bounded): string {
  if (maxMessages !== null && kept.messages >= maxMessages) return `it has max_messages, ${maxMessages}`;
  if (maxBytes !== null) return `it has max_bytes, ${maxBytes}`;
  return "a durable subscription has not read what retention would drop";
}
