import type { LinkFacts } from "../wire/link-status.ts";
import type { Peer } from "../wire/peer.ts";
import type { QueueStatus, Reason } from "./queues.ts";

/** One link, as `dw link list --json` has it. */
export interface LinkStatus extends LinkFacts {
  /** Of the service that it belongs to; null for none. */
  readonly version: string | null;
  readonly state: "moving" | "idle" | "stalled";
  readonly reason: Reason | null;
  /** How many messages may be on their way; null where only the consumer bounds that. */
  readonly window: number | null;
  /** Null: not known. */
  readonly oldestUnsettledMs: number | null;
  /** How many messages of its address it has not been given; null for a link that sends. */
  readonly lag: number | null;
}

/** How many messages a sender may have on their way. */
const SENDER_WINDOW = 1_000;
const STATES: readonly LinkStatus["state"][] = ["stalled", "moving", "idle"];

/** All links, those that do not move first. */
export function linksOf(
  { peers, host }: { readonly peers: Iterable<Peer>; readonly host: string },
  queues: readonly QueueStatus[],
): LinkStatus[] {
  const byAddress = new Map(queues.map((queue) => [queue.address, queue]));
  const links = [...peers]
    .flatMap((peer) => peer.links(host))
    .map((facts) => toStatus(facts, byAddress.get(facts.address ?? "")));
  return links.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.link < b.link ? -1 : 1));
}

function toStatus(facts: LinkFacts, queue: QueueStatus | undefined): LinkStatus {
  const isSender = facts.direction === "in";
  const reason = queue === undefined ? null : isSender ? whySenderWaits(facts, queue) : whyConsumerWaits(facts, queue);
  const isMoving = queue !== undefined && (isSender ? queue.inPerS : queue.outPerS) > 0;
  return {
    ...facts,
    version: null,
    state: reason !== null ? "stalled" : isMoving ? "moving" : "idle",
    reason,
    window: isSender ? SENDER_WINDOW : null,
    oldestUnsettledMs: null,
    lag: isSender || queue === undefined ? null : Math.max(0, queue.messages - queue.unsettled),
  };
}

function whySenderWaits({ credit }: LinkFacts, { reason, kind }: QueueStatus): Reason | null {
  if (credit > 0) return null;
  return reason === "limit" || reason === "disk-full" || kind === "direct" ? reason : null;
}

function whyConsumerWaits({ credit }: LinkFacts, { messages, unsettled, kind }: QueueStatus): Reason | null {
  return credit === 0 && kind === "queue" && messages > unsettled ? "no-credit" : null;
}
