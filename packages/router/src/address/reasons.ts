import { type Fields, textOf } from "@datawire/amqp";
import { REASON_PROPERTY, type StallReason, stallReason } from "@datawire/protocol";

/** The properties of a flow that say why nothing moves. */
export const writeReason = (reason: StallReason): Fields => new Map([[REASON_PROPERTY, reason]]);

/** The reason that a peer's flow says; null where that says none. */
export function readReason(told: Fields | null): StallReason | null {
  return stallReason(textOf(told?.get(REASON_PROPERTY)));
}

/** The word for what an address is at the limit of. @param limit a bound, or the trouble with the disk. */
export const limitReasonOf = (limit: string): StallReason =>
  limit === "disk-full" || limit === "disk" ? "disk-full" : "limit";
