import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TlsCheck } from "../model/service-definition.ts";
import type { Network } from "./prober.ts";

/** Where a connection goes, and how it is verified. */
export interface SocketTarget {
  readonly origin: URL;
  readonly tls: TlsCheck;
  /** What is spoken over TLS; null for what has no name there. */
  readonly alpn: "http/1.1" | "h2" | null;
}

/** Opens a connection to an origin, over TLS where it is `https:`; what is written at once is sent when it is there. */
export function openSocket({ origin, tls, alpn }: SocketTarget, { lookup, secureContext }: Network): Socket {
  const host = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  if (origin.protocol !== "https:") return connectTcp({ host, port: Number(origin.port || 80), lookup });
  const name = tls.serverName ?? host.replace(/\.$/, "");
  return connectTls({
    host,
    port: Number(origin.port || 443),
    lookup,
    ...(alpn !== null && { ALPNProtocols: [alpn] }),
    secureContext: secureContext(),
    rejectUnauthorized: tls.verify,
    ...(isIP(name) === 0 ? { servername: name } : {}),
  });
}
