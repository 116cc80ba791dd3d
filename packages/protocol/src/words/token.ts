import { ProtocolError } from "./errors.ts";

/** A token, as programs carry it: `dw1_SECRET_FINGERPRINT`, where a directory without an authority of its own leaves the last part out. */
export interface Token {
  /** 256 random bits. The directory keeps only their hash. */
  readonly secret: string;
  /** SHA-256 of the public key of the directory's own authority, which its certificate is verified with. */
  readonly fingerprint: string | null;
}

/** 256 bits in base64url; of the secret and of the fingerprint alike. */
const PART = "[A-Za-z0-9_-]{43}";
const TOKEN = new RegExp(`^dw1_(${PART})(?:_(${PART}))?$`);

/** What a token may do with a directory; the names of `dw token create --role`, the mightiest last. */
export const ROLES = ["client", "router", "viewer", "library", "watson", "sherlock", "operator", "admin"] as const;
/** What a token is good for: one of `ROLES`. */
export type Role = (typeof ROLES)[number];

/**
 * Reads a token.
 * @throws ProtocolError `unauthenticated` that does not repeat what it was given.
 */
export function parseToken(text: string): Token {
  const match = TOKEN.exec(text);
  if (match === null) {
    throw new ProtocolError(
      "unauthenticated",
      "Cannot use the token: it is malformed; wanted it whole, as `directory init` or `dw token create` printed it, beginning with dw1_",
    );
  }
  return { secret: match[1] as string, fingerprint: match[2] ?? null };
}

/** Writes a token as `parseToken` reads it. */
export function formatToken({ secret, fingerprint }: Token): string {
  return fingerprint === null ? `dw1_${secret}` : `dw1_${secret}_${fingerprint}`;
}
