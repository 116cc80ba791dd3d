import { durationFrom, durationSetting, parsedBy } from "@datawire/runtime";
import { z } from "zod";
import { ADDRESS_BYTES_MAX, parsePattern } from "@datawire/protocol";
import { type AddressRule, DEFAULT_SETTINGS, OVERFLOWS } from "../address/rules.ts";
import { byteSizeFrom } from "./byte-size.ts";
import { checkLink } from "./upstream-settings.ts";

/** The kinds that a rule can give: what this router routes. */
const RULE_KINDS = ["queue", "topic", "direct", "service", "link", "none"] as const;

const count = (wanted: string) => z.int().min(1).meta({ wanted });

/** `forever` is for time, and `none` what `dw topic set` takes for both. */
const noBound = z.enum(["forever", "none"]).transform(() => null);
const AGE_RULE = "a duration from 1s to 365d, or forever";

/** One entry of `addresses` in router.yaml. */
export const addressRuleSetting = z
  .strictObject({
    match: parsedBy(parsePattern, "an address in which * stands for one segment and ** for the rest").meta({
      description: "The addresses that it is for; the longest literal beginning wins.",
    }),
    kind: z
      .enum(RULE_KINDS)
      .optional()
      .meta({ description: "What they are.", otherwise: "what the peer asks for, or the address says" }),
    create: z.boolean().default(true).meta({ description: "Whether they are made on first use." }),
    persist: z.boolean().default(true).meta({ description: "Whether messages are kept on disk." }),
    max_deliveries: count("a number, 1 or more")
      .default(DEFAULT_SETTINGS.maxDeliveries)
      .meta({ description: "Failed deliveries after which a message goes to `dead/ADDRESS`." }),
    max_messages: count("a number, 1 or more")
      .optional()
      .meta({ description: "Bounds a queue.", otherwise: "no bound" }),
    max_bytes: byteSizeFrom(1).optional().meta({ description: "Bounds a queue.", otherwise: "no bound" }),
    overflow: z
      .enum(OVERFLOWS)
      .default("refuse")
      .meta({ description: "What happens at a bound: no credit, rejected, or the oldest goes." }),
    dedupe: durationFrom(1)
      .optional()
      .meta({ description: "How long a `message-id` is remembered.", otherwise: "not at all" }),
    expired: z
      .enum(["drop", "dead"])
      .default("drop")
      .meta({ description: "What becomes of messages whose time is over." }),
    retention: z
      .strictObject({
        age: z
          .union([noBound, durationSetting.refine((ms) => ms >= 1_000, { error: AGE_RULE })])
          .default(7 * 86_400_000)
          .meta({ description: "How old they may get.", wanted: AGE_RULE }),
        bytes: z
          .union([noBound, byteSizeFrom(1)])
          .default(2 ** 30)
          .meta({
            description: "What they may take together; a durable subscription keeps back what it has not read.",
            wanted: "a size such as 64KiB, 10MiB or 1GB, or none",
          }),
      })
      .prefault({})
      .meta({ description: "How long a topic keeps messages, and how many bytes of them." }),
    upstream: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Of kind `link`: where they are, one of `upstreams`.", otherwise: "none" }),
    rewrite: z.string().min(1).max(ADDRESS_BYTES_MAX).optional().meta({
      description:
        "Of kind `link`: the address there; `$1` is what the first star of `match` stands for, `$0` the whole name.",
      otherwise: "`$0`",
    }),
  })
  .superRefine(checkLink)
  .transform(({ match, kind = null, create, persist, expired, overflow, retention, ...rest }): AddressRule => ({
    match,
    kind,
    ...(rest.upstream !== undefined && { link: { upstream: rest.upstream, rewrite: rest.rewrite ?? "$0" } }),
    settings: {
      create,
      persist,
      expired,
      overflow,
      maxDeliveries: rest.max_deliveries,
      maxMessages: rest.max_messages ?? null,
      maxBytes: rest.max_bytes ?? null,
      dedupeMs: rest.dedupe ?? null,
      retention: { ageMs: retention.age, bytes: retention.bytes },
    },
  }));
