import type { AddressSettings } from "../address/rules.ts";
import { Topic } from "../queue/topic.ts";
import type { Queue } from "../queue/queue.ts";

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

/** Which bound has been reached. */
export function limitOf({ kept, settings: { maxMessages, maxBytes } }: Bounded): string {
  if (maxMessages !== null && kept.messages >= maxMessages) return `it has max_messages, ${maxMessages}`;
  if (maxBytes !== null) return `it has max_bytes, ${maxBytes}`;
  return "a durable subscription has not read what retention would drop";
}
