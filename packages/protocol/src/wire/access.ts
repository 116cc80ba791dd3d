import { z } from "zod";
import { momentSchema } from "../entities/model.ts";
import { NAME_PATTERN } from "../words/names.ts";
import { ROLES } from "../words/token.ts";

const bytes = z.string().max(100);

/** What a server needs to check a token by SCRAM-SHA-256 (RFC 5802), but cannot use to log in; bytes in base64. */
export const scramVerifierSchema = z.object({
  salt: bytes,
  iterations: z.int().min(1).max(1_000_000),
  storedKey: bytes,
  serverKey: bytes,
});
/** What a server needs to check a token by SCRAM-SHA-256, after parsing. */
export type ScramVerifier = z.infer<typeof scramVerifierSchema>;

/** The most patterns of addresses of one token, for sending and for receiving each. */
export const ADDRESS_PATTERNS_MAX = 100;

/** A token as routers know it: enough to check the token, but not to use it. */
export const routerTokenSchema = z.object({
  id: z.string().max(100),
  /** SHA-256 of the secret, in base64url. */
  hash: z.string().max(100),
  /** Null for a token that was made before tokens had one. */
  scram: scramVerifierSchema.nullable(),
  role: z.enum(ROLES),
  tenant: z.string().regex(NAME_PATTERN).nullable(),
  /** Patterns of addresses; null where the role alone decides. */
  send: z.array(z.string().max(255)).max(ADDRESS_PATTERNS_MAX).nullable(),
  listen: z.array(z.string().max(255)).max(ADDRESS_PATTERNS_MAX).nullable(),
  expiresMs: momentSchema.nullable(),
});
/** A token as routers know it, after parsing. */
export type RouterToken = z.infer<typeof routerTokenSchema>;

/** The most tokens in one message. */
export const ACCESS_PART_TOKENS = 500;
