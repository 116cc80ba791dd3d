import { type Fields, textOf } from "@datawire/amqp";

/** How the flow of a link says its reason to a peer that asks how it stands. */
const REASON = "datawire:reason";

/** Why nothing moves at an address, or on a link (section 6). */
export type Reason = (typeof REASONS)[number];

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

/** The properties of a flow that say why nothing moves. */
export const writeReason = (reason: Reason): Fields => new Map([[REASON, reason]]);

/** The reason that a peer's flow says; null where that says none. */
export function readReason(told: Fields | null): Reason | null {
  const text = textOf(told?.get(REASON));
  return REASONS.find((reason) => reason === text) ?? null;
}

/** The word for what an address is at the limit of. @param limit a bound, or the trouble with the disk. */
export const limitReasonOf = (limit: string): Reason =>
  limit === "disk-full" || limit === "disk" ? "disk-full" : "limit";
