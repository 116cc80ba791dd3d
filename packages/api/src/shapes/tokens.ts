import { ADDRESS_PATTERNS_MAX, NAME_PATTERN, NAME_RULE, ROLES } from "@datawire/protocol";
import { z } from "zod";
import { dryRun, outcome, time } from "./common.ts";

/** The most patterns of services of one token. */
export const TOKEN_PATTERNS_MAX = 100;

/** A token without its secret. */
const token = z.lazy(() =>
  z.object({
    id: z.string(),
    role: z.enum(ROLES),
    services: z.array(z.string()).nullable().meta({ description: "What it may register; null for all" }),
    send: z
      .array(z.string())
      .nullable()
      .optional()
      .meta({ description: "Addresses that it may send to; null where its role alone decides" }),
    listen: z.array(z.string()).nullable().optional().meta({ description: "Addresses that it may receive from" }),
    hosts: z
      .array(z.string())
      .nullable()
      .optional()
      .meta({ description: "What a router's certificate may be for; null for what is of the machine it comes from" }),
    tenant: z.string().nullable(),
    created: time,
    createdBy: z.string(),
    expires: time.nullable(),
    expired: z.boolean(),
  }),
);

/** Every token, without its secret. */
export const tokensAnswer = z.lazy(() => z.object({ tokens: z.array(token) }));

/** A new token with its secret, which is shown this once. */
export const tokenCreateAnswer = z.lazy(() =>
  token.unwrap().extend({
    id: z.string().nullable().meta({ description: "Null for a dry run" }),
    token: z.string().nullable().meta({ description: "Null for a dry run" }),
    notes: outcome.notes.optional(),
    changed: outcome.changed.optional(),
  }),
);

/** The token that was ended, and what ends with it. */
export const tokenRevokeAnswer = z.lazy(() =>
  z.object({
    revoked: token,
    sessions: z.int().optional().meta({ description: "Sessions of the console that end with it" }),
    notes: outcome.notes.optional(),
    changed: outcome.changed.optional(),
  }),
);

const patterns = z.lazy(() => z.array(z.string().max(255)).min(1).max(ADDRESS_PATTERNS_MAX).nullable().default(null));

/** Makes a token. */
export const tokenCreateBody = z.lazy(() =>
  z.strictObject({
    role: z.enum(ROLES),
    services: z
      .array(z.string().max(200))
      .min(1)
      .max(TOKEN_PATTERNS_MAX)
      .nullable()
      .default(null)
      .meta({ description: "Patterns of the services that may be registered with it; left out or null for all" }),
    send: patterns.meta({
      description: "Patterns of the addresses that it may send to: `*` stands for one segment, `**` for the rest",
    }),
    listen: patterns.meta({ description: "Patterns of the addresses that it may receive from" }),
    hosts: z.array(z.string().max(253)).min(1).max(TOKEN_PATTERNS_MAX).nullable().default(null).meta({
      description:
        "Names and addresses that the certificate of a router may be for, with * for any characters; null for what is of the machine it comes from",
    }),
    tenant: z
      .string()
      .regex(NAME_PATTERN, NAME_RULE)
      .meta({ wanted: NAME_RULE })
      .nullable()
      .default(null)
      .meta({ description: "Whose table it is for; default: that of whoever asks" }),
    expires: z
      .union([z.string().max(20), z.number()])
      .nullable()
      .default(null)
      .meta({ description: "A duration, after which it no longer holds; null for one that holds until it is revoked" }),
    dryRun,
  }),
);
