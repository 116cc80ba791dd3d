import type { DirectoryAddress } from "@datawire/protocol";

/** What a client knows about the certificates of a directory; contents in PEM, not file names. */
export interface TlsSettings {
  /** Verifies the directory instead of the system's authorities. */
  readonly ca: string | null;
  /** With `key`, what the client proves itself with. */
  readonly cert: string | null;
  readonly key: string | null;
}

/** Whether a directory is spoken to over TLS: because its address says so, or because there is an authority to verify it with. */
export function speaksTls(address: DirectoryAddress, tls: TlsSettings | null): boolean {
  return address.tls ?? (tls !== null && tls.ca !== null);
}

/** The settings as the options of Node's TLS; a null there would be taken for a value. */
export function tlsOptions(tls: TlsSettings | null): { ca?: string; cert?: string; key?: string } {
  return {
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    ...(tls?.cert == null ? {} : { cert: tls.cert }),
    ...(tls?.key == null ? {} : { key: tls.key }),
  };
}
