import { createHash, X509Certificate } from "node:crypto";
import type { AuthorityRecord } from "./token-record.ts";

/** What tokens carry: SHA-256 of the authority's public key, in base64url. */
export function authorityFingerprint({ certificate }: AuthorityRecord): string {
  const { publicKey } = new X509Certificate(certificate);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
}
