import type { AmqpError, AttachOptions, Attach, LinkEnd } from "@datawire/amqp";
import type { Room } from "../engine/ports.ts";

/** What both ends of a link through the router have in common, as the side of the client sees it. */
export interface NearLink {
  readonly remote: Attach | null;
  readonly state: string;
  accept(options: AttachOptions): void;
  refuse(error: AmqpError): void;
  detach(end: { readonly closed?: boolean; readonly error?: AmqpError }): void;
}

/** A client's link on which it sends, or what stands for one. */
export interface NearSender extends NearLink {
  readonly credit: number;
  readonly draining: boolean;
  readonly unsettled: { readonly size: number };
  /** For messages that wait for the upstream, of one that has no credit; left out where credit bounds them. */
  readonly room?: Room;
  setCredit(credit: number): void;
  drainCredit(): void;
}

/** What a client wants of its link, for the one at the upstream. */
export function wantedOf({ remote }: NearLink): AttachOptions {
  if (remote === null) return {};
  // Names, handles and counts are those of each connection; what was unsettled on another one is not there any more.
  const {
    name: _name,
    handle: _handle,
    role: _role,
    initialDeliveryCount: _count,
    unsettled: _unsettled,
    incompleteUnsettled: _incomplete,
    ...wanted
  } = remote;
  return wanted;
}

/** Ends a link of a client as its upstream has, or as it never was. */
export function endNear(near: NearLink, { closed, error }: LinkEnd): void {
  if (near.state === "asked") return near.refuse(error ?? NO_REASON);
  near.detach({ closed, ...(error !== null && { error }) });
}

const NO_REASON: AmqpError = {
  condition: "amqp:not-allowed",
  description: "Cannot attach: the upstream does not give the link, and does not say why",
};
