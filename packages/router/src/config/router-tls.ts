import { parseToken } from "@datawire/protocol";
import { isLoopback, type ListenAddress } from "@datawire/runtime";
import type { ServerTls } from "./tls-files.ts";

/** AMQP over TLS. */
export interface RouterTls {
  readonly listen: ListenAddress;
  /** Null: one that the authority of the directory signs. */
  readonly own: ServerTls | null;
  readonly clientCa: string | null;
  /** Reads the files anew; null where they cannot be used now. */
  readonly readAgain: () => Promise<ServerTls | null>;
}

/** What decides whether the directory gives a router its certificate, where it has none of its own. */
export interface CertificateFacts {
  readonly listen: ListenAddress;
  /** Undefined where nobody asked for a port over TLS. */
  readonly tls_listen?: ListenAddress | undefined;
  readonly directories: readonly unknown[];
  readonly mode: "token" | "users" | "none" | undefined;
  readonly token: string | null;
}

/** Beyond loopback, or where a port over TLS is asked for, by a token that names the authority of its directory. */
export function getsCertificate({ listen, tls_listen: asked, directories, mode, token }: CertificateFacts): boolean {
  const wants = asked !== undefined || (!isLoopback(listen.host) && mode !== "none");
  return wants && directories.length > 0 && token !== null && parseToken(token).fingerprint !== null;
}
