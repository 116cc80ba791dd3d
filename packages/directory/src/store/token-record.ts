import { momentSchema, NAME_PATTERN, ROLES, scramVerifierSchema } from "@datawire/protocol";
import { z } from "zod";

/** A token as the store keeps it: everything but the secret. */
export const tokenRecordSchema = z.object({
  /** Names the token to people; of no use to anyone else. */
  id: z.string(),
  /** SHA-256 of the secret, in base64url. The secret has 256 random bits, so that nothing slower is needed. */
  hash: z.string(),
  role: z.enum(ROLES),
  /** The services that may be registered with it; null for all. */
  services: z.array(z.string()).nullable(),
  /** The addresses that it may send to, and receive from; null where the role alone decides. */
  send: z.array(z.string()).nullable().default(null),
  listen: z.array(z.string()).nullable().default(null),
  /** What the certificate of a router may be for; null for what is of the machine that it comes from. */
  hosts: z.array(z.string()).nullable().default(null),
  /** Null where it is of no use for messages, or was made before there were any. */
  scram: scramVerifierSchema.nullable().default(null),
  /** Whose table it is for; null for the one of those without a tenant. */
  tenant: z.string().regex(NAME_PATTERN).nullable(),
  createdMs: momentSchema,
  createdBy: z.string(),
  expiresMs: momentSchema.nullable(),
});
/** A token as it is recorded: its digest and its rights, never its secret. */
export type TokenRecord = z.infer<typeof tokenRecordSchema>;

/** The most tokens that one directory keeps. */
export const TOKENS_MAX = 10_000;

/** What is kept of the directory's own authority: both in PEM. */
export const authorityRecordSchema = z.object({ certificate: z.string(), key: z.string() });
/** The authority of a directory as it is recorded. */
export type AuthorityRecord = z.infer<typeof authorityRecordSchema>;
