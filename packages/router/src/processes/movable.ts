import type { KeptAddress } from "../engine/kept-address.ts";
import { Topic } from "../queue/topic.ts";

/** Whether there is nothing to keep an address for where it is: messages, subscriptions, settings of its own, ids to remember. */
export function isMovable({ kept, dedupe, own }: KeptAddress): boolean {
  if (kept.messages > 0 || !dedupe.isEmpty || own !== null) return false;
  return !(kept instanceof Topic) || [...kept.subscriptions].every(({ key }) => key === null);
}
