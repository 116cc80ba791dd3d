import { type DirectoryAddress, parseToken } from "@datawire/protocol";

/** What a client knows about the certificates of a directory; contents in PEM, not file names. */
export interface TlsSettings {
  /** Verifies the directory instead of the system's authorities. */
  readonly ca: string | null;
  /** With `key`, what the client proves itself with. */
  readonly cert: string | null;
  readonly key: string | null;
}

/** How a client proves who it is, and how it knows the directory. */
export interface Proof {
  readonly token: string | null;
  readonly tls: TlsSettings | null;
}

/**
 * What a directory is verified with: an authority of one's own, the fingerprint of the directory's, or those of the
 * system. `none` speaks without TLS.
 */
export type Trust =
  | { readonly state: "none" }
  | { readonly state: "system" }
  | { readonly state: "authority"; readonly ca: string }
  | { readonly state: "pinned"; readonly fingerprint: string };

/**
 * How a directory is spoken to. A token that carries a fingerprint never travels without TLS, even to `ws://`: the
 * directory that made it would not take it there.
 */
export function trustOf(address: DirectoryAddress, { token, tls }: Proof): Trust {
  const ca = tls?.ca ?? null;
  const fingerprint = fingerprintOf(token);
  const speaksTls = fingerprint !== null || (address.tls ?? ca !== null);
  if (!speaksTls) return { state: "none" };
  if (ca !== null) return { state: "authority", ca };
  return fingerprint === null ? { state: "system" } : { state: "pinned", fingerprint };
}

/** The client's own certificate as options of Node's TLS; a null there would be taken for a value. */
export function ownCertificate(tls: TlsSettings | null): { cert?: string; key?: string } {
  return {
    ...(tls?.cert == null ? {} : { cert: tls.cert }),
    ...(tls?.key == null ? {} : { key: tls.key }),
  };
}

/** The fingerprint of the authority that a token names; null without one. */
export function fingerprintOf(token: string | null): string | null {
  if (token === null) return null;
  try {
    return parseToken(token).fingerprint;
  } catch {
    return null; // loading the settings refuses it; here it is only no token of that form
  }
}
