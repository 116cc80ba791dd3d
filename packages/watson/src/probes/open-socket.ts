import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { whyNotRouter } from "@datawire/link/client";
import type { TlsCheck } from "../model/service-definition.ts";
import type { Network } from "./prober.ts";

/** Where a connection goes, and how it is verified. */
export interface SocketTarget {
  readonly origin: URL;
  readonly tls: TlsCheck;
  /** What is spoken over TLS; null for what has no name there. */
  readonly alpn: "http/1.1" | "h2" | null;
  /** Whether a router is believed by the authority of its directory too, whatever its name; left out, it is not. */
  readonly router?: boolean;
}

/** Opens a connection to an origin, over TLS where it is `https:`; what is written at once is sent when it is there. */
export function openSocket(
  { origin, tls, alpn, router = false }: SocketTarget,
  { lookup, secureContext, fingerprint }: Network,
): Socket {
  const host = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  if (origin.protocol !== "https:") return connectTcp({ host, port: Number(origin.port || 80), lookup });
  const name = tls.serverName ?? host.replace(/\.$/, "");
  const believes = router && tls.verify ? fingerprint : null;
  const socket = connectTls({
    host,
    port: Number(origin.port || 443),
    lookup,
    ...(alpn !== null && { ALPNProtocols: [alpn] }),
    secureContext: secureContext(),
    rejectUnauthorized: tls.verify && believes === null,
    ...(isIP(name) === 0 ? { servername: name } : {}),
  });
  if (believes !== null) {
    socket.prependOnceListener("secureConnect", () => {
      // Of a service that is no router, what its own certificate lacks says more.
      if (whyNotRouter(socket, believes) === null) return;
      // Node.js gives the code alone here, whatever its types say.
      const code = String(socket.authorizationError);
      socket.destroy(Object.assign(new Error(`its certificate is not trusted (${code})`), { code }));
    });
  }
  return socket;
}
