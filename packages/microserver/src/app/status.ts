import type { StallReason } from "@datawire/protocol";
import type { Watched } from "../core/stalls.ts";
import type { SendLink } from "../links/send-link.ts";

/** One link, as `status` shows it. */
export interface LinkStatus {
  readonly address: string;
  readonly role: "sender" | "receiver";
  readonly isAttached: boolean;
  /** How many more messages may pass at present. */
  readonly credit: number;
  /** Messages that were sent and have no outcome yet, or are being handled. */
  readonly unsettled: number;
  /** How long the oldest message of a sender has waited for its outcome, in milliseconds; null where none does. */
  readonly oldestUnsettledMs: number | null;
  /** Null: it moves, or has nothing to do. */
  readonly waitsFor: StallReason | null;
}

/** What a microserver is at. */
export interface Status {
  readonly state: "connecting" | "connected" | "closed";
  /** Where the router is. */
  readonly router: string;
  /** Why there is no connection, where that is known. */
  readonly failure: string | null;
  readonly links: readonly LinkStatus[];
  readonly outbox: { readonly messages: number; readonly bytes: number };
}

interface Link {
  readonly isAttached: boolean;
  readonly credit: number;
  watched(): Watched;
}

/** What there are links for. */
export interface Linked {
  readonly outbox: { readonly links: Iterable<SendLink> };
  readonly listening: Iterable<{ readonly link: Link; readonly inHand: number }>;
  readonly subscriptions: Iterable<{ readonly link: Link }>;
}

/** All links, as `status` shows them. */
export function linkStatuses({ outbox, listening, subscriptions }: Linked, nowMs: number): LinkStatus[] {
  const shown = (link: Link, unsettled: number, sinceMs: number | null): LinkStatus => ({
    ...link.watched(),
    isAttached: link.isAttached,
    credit: link.credit,
    unsettled,
    oldestUnsettledMs: sinceMs === null ? null : nowMs - sinceMs,
  });
  return [
    ...Array.from(outbox.links, (link) => shown(link, link.lane.unsettled, link.lane.oldestUnsettledMs)),
    ...Array.from(listening, ({ link, inHand }) => shown(link, inHand, null)),
    ...Array.from(subscriptions, ({ link }) => shown(link, 0, null)),
  ];
}
