import type { StallReason } from "@datawire/protocol";
import type { LinkFacts } from "../wire/link-status.ts";
import type { Peer } from "../wire/peer.ts";
import type { QueueStatus } from "./queues.ts";

/** One link, as `dw link list --json` has it. */
export interface LinkStatus extends LinkFacts {
  readonly state: "moving" | "idle" | "stalled";
  readonly reason: StallReason | null;
  /** How many messages may be on their way; null where only the consumer bounds that. */
  readonly window: number | null;
  /** How many messages of its address it has not been given; null for a link that sends. */
  readonly lag: number | null;
}

/** How many messages a sender may have on their way. */
const SENDER_WINDOW = 1_000;
const STATES: readonly LinkStatus["state"][] = ["stalled", "moving", "idle"];

/** All links, those that do not move first. */
export function linksOf(sources: PeerSources, queues: readonly QueueStatus[]): LinkStatus[] {
  return linkStatuses(factsOf(sources), queues);
}

/** Whose links are looked at. */
export interface PeerSources {
  readonly peers: Iterable<Peer>;
  readonly host: string;
}

/** What is known of links without a look at their addresses. */
export function factsOf({ peers, host }: PeerSources): Facts[] {
  return [...peers].flatMap((peer) => peer.links(host));
}

/** Links with what follows from the addresses that they are at, those that do not move first. */
export function linkStatuses(facts: readonly Facts[], queues: readonly QueueStatus[]): LinkStatus[] {
  const byAddress = new Map(queues.map((queue) => [queue.address, queue]));
  const links = facts.map((one) => toStatus(one, byAddress.get(one.address ?? "")));
  return links.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.link < b.link ? -1 : 1));
}

/** What is known of a link without a look at its address. */
export type Facts = ReturnType<Peer["links"]>[number];

function toStatus({ heldBackBy, lag, ...facts }: Facts, queue: QueueStatus | undefined): LinkStatus {
  const isSender = facts.direction === "in";
  const reason = queue === undefined ? null : whyWaits({ ...facts, heldBackBy, lag }, queue);
  const isMoving = queue !== undefined && (isSender ? queue.inPerS : queue.outPerS) > 0;
  return {
    ...facts,
    state: reason !== null ? "stalled" : isMoving ? "moving" : "idle",
    reason,
    window: isSender ? SENDER_WINDOW : null,
    lag,
  };
}

function whyWaits(facts: Facts, queue: QueueStatus): StallReason | null {
  if (queue.reason === "waits-for-upstream") return queue.reason;
  return facts.direction === "in" ? whySenderWaits(facts, queue) : whyConsumerWaits(facts);
}

function whySenderWaits({ credit, unsettled }: LinkFacts, { reason, kind }: QueueStatus): StallReason | null {
  if (credit > 0) return null;
  // All that it may have on its way waits to be accepted.
  if (unsettled >= SENDER_WINDOW && reason !== "disk-full") return "window";
  return reason === "limit" || reason === "disk-full" || kind === "direct" || kind === "service" ? reason : null;
}

function whyConsumerWaits({ credit, heldBackBy, lag }: Omit<Facts, keyof LinkFacts> & LinkFacts): StallReason | null {
  if (lag === null || lag === 0) return null;
  return credit === 0 ? "no-credit" : heldBackBy;
}
