import { z } from "zod";
import { type AddressSettings, OVERFLOWS } from "../../address/rules.ts";
import { isDeadName } from "../../address/scope.ts";

/** The settings of one address that were made by hand: they take precedence over the rules of router.yaml. */
export const ownSettings = z
  .object({
    maxDeliveries: z.number(),
    maxMessages: z.number().nullable(),
    maxBytes: z.number().nullable(),
    overflow: z.enum(OVERFLOWS),
    dedupeMs: z.number().nullable(),
    expired: z.enum(["drop", "dead"]),
    retention: z.object({ ageMs: z.number().nullable(), bytes: z.number().nullable() }).partial(),
  })
  .partial();

/** It, read. */
export type OwnSettings = z.output<typeof ownSettings>;

/** What holds for an address. */
export function withOwn(name: string, settings: AddressSettings, own: OwnSettings | null): AddressSettings {
  const { retention, ...rest } = own ?? {};
  // As it was read from JSON, which has nothing that is undefined.
  const all = { ...settings, ...rest, retention: { ...settings.retention, ...retention } } as AddressSettings;
  // Dead letters of a queue of dead letters have nowhere to go.
  return isDeadName(name) ? { ...all, maxDeliveries: Number.POSITIVE_INFINITY, expired: "drop" } : all;
}

/** What of it queues and topics go by. */
export const configOf = ({ maxDeliveries, expired, retention, overflow }: AddressSettings) => ({
  maxDeliveries,
  expired,
  retention,
  dropsUnread: overflow === "drop-oldest",
});
