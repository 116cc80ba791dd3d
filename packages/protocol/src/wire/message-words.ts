/** The words that routers and clients of messages say to each other beyond AMQP's own. */

/** What a client desires that goes to the instances of services itself: a capability of `open`. */
export const REDIRECT_CAPABILITY = "datawire:redirect";

/** The property of a flow by which a router says why nothing moves on a link, to a peer that asks how it stands. */
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

/** The reason that a text is; null where it is none. */
export function stallReason(text: string | null | undefined): StallReason | null {
  return REASONS.find((reason) => reason === text) ?? null;
}
