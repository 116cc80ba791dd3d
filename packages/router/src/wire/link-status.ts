import type { Receiver, Sender } from "@datawire/amqp";

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
}

/** What the router knows of the connection of a link. */
export type LinkOwner = Pick<LinkFacts, "router" | "container" | "user" | "peer">;

/** What a status tells of a link. */
export function linkFacts(link: Sender | Receiver, address: string | null, owner: LinkOwner): LinkFacts {
  return {
    ...owner,
    link: link.name,
    direction: link.isReceiver ? "in" : "out",
    address,
    credit: link.credit,
    unsettled: link.unsettled.size,
    delivered: link.deliveryCount,
  };
}
