import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createSecureServer, Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import type { ErrorBody } from "@datawire/protocol";
import { foreignRequest, isLoopback, listenError, type ListenAddress } from "@datawire/runtime";
import { onUpgrade } from "./on-upgrade.ts";
import { CROWD_BOUND, type CrowdBound, createCrowdGuard } from "./crowd.ts";
import { createPlainAnswers, divertPlain } from "./plain-on-tls.ts";

/** What is served on the one port of a directory. */
export interface HttpHandlers {
  request(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Told of a request that a web page may have sent, which is refused. */
  foreign(reason: string): void;
  /** Told of what went wrong with a connection, which is cut. */
  failed(error: unknown): void;
  /** Told of a connection of an address that has too many; with the reason where it is the first one for a while. */
  crowded(reason: string | null): void;
}

export interface HttpConfig {
  readonly addresses: readonly ListenAddress[];
  /** The flag or key that chose the addresses, for messages. */
  readonly setting: string;
  /** The names that the directory is known by. */
  readonly names: readonly string[];
  /** How many connections one address may have; `CROWD_BOUND` where it is left out. */
  readonly crowd?: CrowdBound;
  /** Without it, TLS is not spoken. With it nobody gets in before `setCertificate`, and who does not speak it is told so. */
  readonly tls?: {
    /** Whether clients must show a certificate of the authority that `setCertificate` gives. */
    readonly clientCertificates: boolean;
  };
}

export interface HttpServer {
  /** What it is bound to, with the port that the system chose for port 0. */
  readonly addresses: readonly ListenAddress[];
  /** What clients are shown from now on: options of Node's TLS. */
  setCertificate(options: SecureContextOptions): void;
  /** Takes no more connections, and ends those that are left after a moment. */
  close(): Promise<void>;
}

/** Links and requests together; each costs about 20 KB. */
const CONNECTIONS_MAX = 20_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** From the first byte of a request to the last one of its head, or of its body. */
const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 30_000;
const IDLE_MS_MAX = 60_000;
/** How long requests may take to end when the directory stops. */
const CLOSE_MS_MAX = 1_000;

/** Listens on every address, on one port. */
export async function listenHttp(config: HttpConfig, handlers: HttpHandlers): Promise<HttpServer> {
  const loopbackOnly = config.addresses.every(({ host }) => isLoopback(host));
  const refusalOf = (req: IncomingMessage): string | null => {
    const { host, origin } = req.headers;
    return foreignRequest({ host, origin }, { names: config.names, loopbackOnly });
  };
  const guard = createCrowdGuard(config.crowd ?? CROWD_BOUND, (reason) => handlers.crowded(reason));
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const bound: ListenAddress[] = [];
  try {
    for (const address of config.addresses) {
      const port = bound[0]?.port ?? address.port;
      const server =
        config.tls === undefined ? serve(handlers, refusalOf) : serveSecurely(handlers, refusalOf, config.tls);
      guard(server, { secure: config.tls !== undefined });
      track(server, sockets);
      bound.push(await listen(server, { ...address, port }, config.setting));
      servers.push(server);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    addresses: bound,
    setCertificate(options) {
      for (const server of servers) if (server instanceof SecureServer) server.setSecureContext(options);
    },
    async close() {
      // Not only those that have sent a request: also those that have not, or have not even shaken hands.
      const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_MS_MAX);
      await Promise.all(servers.map(close));
      clearTimeout(cut);
    },
  };
}

function track(server: Server, sockets: Set<Socket>): void {
  server.prependListener("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
}

type RefusalOf = (req: IncomingMessage) => string | null;

const OPTIONS: ServerOptions = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: HEADERS_MS_MAX,
  requestTimeout: REQUEST_MS_MAX,
  keepAliveTimeout: IDLE_MS_MAX,
  connectionsCheckingInterval: HEADERS_MS_MAX / 2,
  noDelay: true,
};

function serve(handlers: HttpHandlers, refusalOf: RefusalOf): Server {
  return handle(createServer(OPTIONS), handlers, refusalOf);
}

/** Serves TLS alone; plain HTTP on the same port is answered by what to do instead. */
function serveSecurely(
  handlers: HttpHandlers,
  refusalOf: RefusalOf,
  { clientCertificates }: NonNullable<HttpConfig["tls"]>,
): Server {
  // `setSecureContext` leaves these as they are: they are the server's, not the context's.
  const asked = { requestCert: clientCertificates, rejectUnauthorized: clientCertificates };
  const server = createSecureServer({ ...OPTIONS, ...asked, handshakeTimeout: HEADERS_MS_MAX });
  divertPlain(server, createPlainAnswers(handlers));
  return handle(server, handlers, refusalOf);
}

function handle(server: Server, handlers: HttpHandlers, refusalOf: RefusalOf): Server {
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    alone(handlers, req.socket, () => answer(req, res));
  });
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const foreign = refusalOf(req);
    if (foreign === null) return handlers.request(req, res);
    handlers.foreign(foreign);
    const body = JSON.stringify({ error: { code: "permission_denied", message: `Cannot answer: ${foreign}` } });
    res.writeHead(403, { "content-type": "application/json", connection: "close" }).end(`${body}\n`);
  };
  server.on("clientError", answerMalformed);
  server.maxConnections = CONNECTIONS_MAX;
  onUpgrade(server, (req, socket, head) =>
    alone(handlers, socket, () => {
      const foreign = refusalOf(req);
      if (foreign === null) return handlers.upgrade(req, socket, head);
      handlers.foreign(foreign);
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\nrefused: ${foreign}\n`,
      );
    }),
  );
  return server;
}

/** Does something for one connection: what goes wrong there, in a listener of the server, would end the process. */
function alone({ failed }: Pick<HttpHandlers, "failed">, socket: Duplex, work: () => void): void {
  try {
    work();
  } catch (error) {
    failed(error);
    socket.destroy();
  }
}

/** As Node would, and with a word for a head that is too large. */
function answerMalformed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const message = `Cannot take a head of more than ${HEADER_BYTES_MAX} bytes`;
  const body = `${JSON.stringify({ error: { code: "limit_exceeded", message } } satisfies ErrorBody)}\n`;
  const head = (status: string): string => `HTTP/1.1 ${status}\r\nconnection: close\r\n`;
  if (code === "HPE_HEADER_OVERFLOW")
    socket.end(`${head("431 Request Header Fields Too Large")}content-type: application/json\r\n\r\n${body}`);
  else if (code === "ERR_HTTP_REQUEST_TIMEOUT") socket.end(`${head("408 Request Timeout")}\r\n`);
  else socket.end(`${head("400 Bad Request")}\r\n`);
}

function listen(server: Server, address: ListenAddress, setting: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, address, setting)));
    server.listen({ ...address, backlog: 1_024 }, () => {
      resolve({ host: address.host, port: (server.address() as AddressInfo).port });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
