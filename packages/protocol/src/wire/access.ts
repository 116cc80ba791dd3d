import { z } from "zod";
import { momentSchema } from "../entities/model.ts";
import { NAME_PATTERN } from "../words/names.ts";
import { ROLES } from "../words/token.ts";

const bytes = z.string().max(100);

/** What checks a token by SCRAM-SHA-256 (RFC 5802) and proves nothing; bytes in base64. */
export const scramVerifierSchema = z.object({
  salt: bytes,
  iterations: z.int().min(1).max(1_000_000),
  storedKey: bytes,
  serverKey: bytes,
});
/** What checks a token by SCRAM-SHA-256, read. */
export type ScramVerifier = z.infer<typeof scramVerifierSchema>;

/** The most patterns of addresses of one token, for sending and for receiving each. */
export const ADDRESS_PATTERNS_MAX = 100;

/** A token as routers know it: enough to check it, too little to use it. */
export const routerTokenSchema = z.object({
  id: z.string().max(100),
  /** SHA-256 of the secret, in base64url. */
  hash: z.string().max(100),
  /** Null for a token that was made before there were any. */
  scram: scramVerifierSchema.nullable(),
  role: z.enum(ROLES),
  tenant: z.string().regex(NAME_PATTERN).nullable(),
  /** Patterns of addresses; null where the role alone decides. */
  send: z.array(z.string().max(255)).max(ADDRESS_PATTERNS_MAX).nullable(),
  listen: z.array(z.string().max(255)).max(ADDRESS_PATTERNS_MAX).nullable(),
  expiresMs: momentSchema.nullable(),
});
/** A token as routers know it, read. */
export type RouterToken = z.infer<typeof routerTokenSchema>;

/** The most tokens in one message. */
export const ACCESS_PART_TOKENS = 500;
