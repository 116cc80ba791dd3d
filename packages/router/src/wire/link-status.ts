import type { StallReason } from "@datawire/protocol";
import { type Connection, type Fields, type Receiver, type Sender, textOf } from "@datawire/amqp";
import { writeReason } from "../address/reasons.ts";
import type { HeldBack, Member } from "../engine/ports.ts";

/** A link, as its connection knows it. */
export interface LinkFacts {
  readonly router: string;
  readonly container: string;
  readonly user: string | null;
  readonly peer: string;
  readonly link: string;
  /** `in`: the peer sends. */
  readonly direction: "in" | "out";
  /** Null: each message says where it goes. */
  readonly address: string | null;
  readonly credit: number;
  readonly unsettled: number;
  /** Messages that have passed (modulo 2^32). */
  readonly delivered: number;
  /** Since when the oldest unsettled one is that; null for none. */
  readonly oldestUnsettledMs: number | null;
  /** What it says of the version that it belongs to; null for nothing. */
  readonly version: string | null;
}

/** What of a link its user here knows. */
interface LinkOfOurs {
  readonly name: string | null;
  /** What keeps a consumer that gives credit from more; null for nothing. */
  readonly heldBackBy?: HeldBack | null;
  /** How many messages of its address it has not been given; null where that is not counted. */
  readonly lag?: number | null;
  /** Which instance of a service it is; null for none. */
  readonly member?: Member | null;
}

/** What the router knows of the connection of a link. */
type LinkOwner = Pick<LinkFacts, "router" | "container" | "user" | "peer" | "version">;

type OwnerNow = LinkOwner & { readonly nowMs: number };

/** The version that the properties of a link or a connection name; null for none. */
function versionOf(properties: Fields | undefined): string | null {
  return textOf(properties?.get("version"));
}

/** What a status tells of a link. */
function linkFacts(link: Sender | Receiver, address: string | null, { nowMs, ...owner }: OwnerNow): LinkFacts {
  const oldest = link.unsettled.first;
  return {
    ...owner,
    link: link.name,
    direction: link.isReceiver ? "in" : "out",
    address,
    credit: link.credit,
    unsettled: link.unsettled.size,
    delivered: link.deliveryCount,
    oldestUnsettledMs: oldest === null || oldest.atMs === 0 ? null : Math.max(0, Math.round(nowMs - oldest.atMs)),
    version: versionOf(link.remote?.properties) ?? owner.version,
  };
}

/** The answer to a peer that asks why nothing moves on its link; null where there is no reason. */
export function reasonOf(link: { readonly whyWaits?: StallReason | null } | null): Fields | null {
  const reason = link?.whyWaits ?? null;
  return reason === null ? null : writeReason(reason);
}

/** A link, with what its user here knows. */
export type LinkReport = LinkFacts & Pick<Required<LinkOfOurs>, "heldBackBy" | "lag">;

/**
 * All links of a connection.
 * @param ofOurs what of a link its user here knows; null for one that has none.
 */
export function linkReports(
  { identity: user, remote, sessions }: Pick<Connection, "identity" | "remote" | "sessions">,
  peer: Omit<OwnerNow, "user" | "version">,
  ofOurs: (link: Sender | Receiver) => LinkOfOurs | null,
): LinkReport[] {
  const owner = { ...peer, user, version: versionOf(remote?.properties) };
  return sessions.flatMap(({ links }) =>
    links.flatMap((link) => {
      const ours = ofOurs(link);
      if (ours === null) return [];
      const { name, heldBackBy = null, lag = null, member = null } = ours;
      const facts = linkFacts(link, name, owner);
      return [{ ...facts, version: member?.version ?? facts.version, heldBackBy, lag }];
    }),
  );
}
