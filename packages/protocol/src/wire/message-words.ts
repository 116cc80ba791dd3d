/** The names of capabilities and properties that routers and their clients use beyond those of AMQP. */

/** The capability that a client desires in `open` when it can connect to the instances of services itself. */
export const REDIRECT_CAPABILITY = "datawire:redirect";

/**
 * The property of a flow in which a router says why nothing moves on a link, to a peer that asks by a flow with `echo`.
 */
export const REASON_PROPERTY = "datawire:reason";

const REASONS = [
  "no-credit",
  "no-consumer",
  "window",
  "unsettled-limit",
  "held",
  "waits-for-upstream",
  "limit",
  "disk-full",
] as const;

/** Why nothing moves at an address, or on a link: what `dw why` says. */
export type StallReason = (typeof REASONS)[number];

/** The text as a stall reason; null where it is not one. */
export function stallReason(text: string | null | undefined): StallReason | null {
  return REASONS.find((reason) => reason === text) ?? null;
}
