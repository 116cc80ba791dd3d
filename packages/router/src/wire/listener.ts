import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { ShownTls } from "../config/shown-tls.ts";
import type { ServerTls } from "../config/tls-files.ts";
import { formatListenAddress, type ListenAddress, listenError } from "@datawire/runtime";
import { Peer, type PeerDeps } from "./peer.ts";

/** An AMQP port that is open. */
export interface Listener {
  readonly address: ListenAddress;
  /** Takes no more connections, ends those that there are, and resolves when they have ended. */
  close(): Promise<void>;
}

/** What a listener needs beside what its connections need. */
export interface ListenerConfig {
  readonly listen: ListenAddress;
  /** The flag or key that chose the address, for messages. */
  readonly setting: string;
  readonly connectionsMax: number;
  /** Null for a port without TLS. */
  readonly tls: ShownTls | null;
  /** Whether other processes of this router listen there, too. */
  readonly isShared?: boolean;
}

/** How long a client has to agree on TLS (section 7). */
const HANDSHAKE_MS_MAX = 5_000;
/** How long connections have to end. */
const CLOSE_MS_MAX = 2_000;

/** The connections of all listeners. */
export type Peers = Set<Peer>;

/**
 * Opens an AMQP port.
 * @throws Error that says why it cannot listen.
 */
export async function listenAmqp(
  { listen, setting, connectionsMax, tls, isShared = false }: ListenerConfig,
  deps: PeerDeps,
  peers: Peers,
): Promise<Listener> {
  const mine = new Set<Peer>();
  const connected = (socket: Socket): void => {
    const isFull = peers.size >= connectionsMax;
    const refusal = isFull ? `Cannot take the connection: there are ${connectionsMax} (limits.connections)` : null;
    // Beyond twice the bound there is not even an answer.
    if (peers.size >= connectionsMax * 2) return void socket.destroy();
    if (isFull) deps.log.debug("Connection refused", { peers: peers.size });
    const peer = new Peer(socket, deps, { refusal });
    peers.add(peer);
    mine.add(peer);
    socket.on("close", () => {
      peers.delete(peer);
      mine.delete(peer);
    });
  };
  const server = tls === null ? createServer(connected) : secureServer(tls, connected);
  server.on("tlsClientError", (error) => deps.log.debug("TLS failed", { error }));
  await opened(server, { ...listen, reusePort: isShared }, setting);
  server.on("error", (error) => deps.log.debug("Listener failed", { listen: formatListenAddress(listen), error }));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : listen.port;
  return {
    address: { host: listen.host, port },
    async close() {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const peer of mine) peer.close("The router stops");
      const cancel = deps.clock.setTimer(CLOSE_MS_MAX, () => {
        for (const peer of mine) peer.destroy();
      });
      await ended;
      cancel();
    },
  };
}

/** Without a certificate yet, whoever connects is told by TLS that there is none, and comes again. */
function secureServer(tls: ShownTls, connected: (socket: Socket) => void): Server {
  const { current, clientCa } = tls;
  const asksClients = clientCa === null ? {} : { requestCert: true, rejectUnauthorized: false };
  const options = { ...(current && contextOf(current)), handshakeTimeout: HANDSHAKE_MS_MAX, ...asksClients };
  const server = createTlsServer(options, connected);
  tls.onChange((next) => server.setSecureContext(contextOf(next)));
  return server;
}

function contextOf({ cert, key, clientCa }: ServerTls) {
  return { cert, key, minVersion: "TLSv1.2" as const, ...(clientCa !== null && { ca: clientCa }) };
}

interface Place extends ListenAddress {
  readonly reusePort: boolean;
}

function opened(server: Server, { host, port, reusePort }: Place, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(listenError(error, { host, port }, setting));
    server.once("error", fail);
    server.listen({ host, port, reusePort }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}
