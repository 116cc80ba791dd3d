import type { AmqpError } from "../frames/error.ts";
import type { Fields } from "../frames/fields.ts";
import type { Link, LinkEnd } from "../link/link.ts";
import type { Receiver, ReceiverEvents } from "../link/receiver.ts";
import type { Sender, SenderEvents } from "../link/sender.ts";

/** What links tell. */
export interface LinkEvents extends SenderEvents, ReceiverEvents {
  /** The peer asks how a link stands: what it is told beside numbers; null, as where this is left out, for nothing. */
  linkAsks?(link: Link): Fields | null;
  /** The peer asks for a link: `accept` or `refuse` it, now or later. */
  linkAsked(link: Sender | Receiver): void;
  /** A peer asked for a link beyond a bound, which was refused: nothing else is told of it. */
  linkRefused?(error: AmqpError): void;
  /**
   * The peer answered that it gives the link that we asked for, or does not (`link.refused`): the detach that says why
   * comes next.
   */
  linkAttached(link: Sender | Receiver): void;
  /**
   * A link that was asked for or attached is no more, told once: detached by the peer or by us, or gone with its session or
   * connection. `link.unsettled` still has its deliveries, which are forgotten afterwards.
   */
  linkDetached(link: Sender | Receiver, end: LinkEnd): void;
}
