import { getCACertificates } from "node:tls";

/** How a check verifies the other side: by the system's authorities and the project's own, or not at all. */
export function tlsOptions(
  { tlsVerify }: { readonly tlsVerify: boolean },
  { ca }: { readonly ca: string | null },
): { readonly rejectUnauthorized: boolean; readonly ca?: string[] } {
  if (!tlsVerify || ca === null) return { rejectUnauthorized: tlsVerify };
  // `ca` replaces the default authorities, so that they are named too.
  return { rejectUnauthorized: true, ca: [...getCACertificates("default"), ca] };
}
