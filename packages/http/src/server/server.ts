import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createSecureServer, Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { isLoopback, listenError, type ListenAddress } from "@datawire/runtime";
import { endWithRefusal, errorBody, pathOf, sendJson } from "../exchange/answer.ts";
import { type ConnectionBound, CONNECTION_BOUND, limitConnections } from "./connection-limit.ts";
import { foreignRequest, type Site } from "./foreign-request.ts";
import { onUpgrade } from "./on-upgrade.ts";
import { createPlainAnswers, divertPlain } from "./plain-on-tls.ts";

/** The handlers of the one port of a daemon. */
export interface HttpHandlers {
  request(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Told of a request that a web page may have sent, which is refused. */
  foreign(reason: string): void;
  /** Told of what went wrong with a connection, which is cut. */
  failed(error: unknown): void;
  /** Told of a connection of an address that has too many; with the reason where it is the first one for a while. */
  tooManyConnections(reason: string | null): void;
}

/** Where a server listens, and what it takes. */
export interface HttpConfig {
  readonly addresses: readonly ListenAddress[];
  /** The flag or key that chose the addresses, for messages. */
  readonly setting: string;
  /** The names that the daemon is known by. */
  readonly names: readonly string[];
  /** Where else its pages are, and which setting says so; default: nowhere. */
  readonly front?: Pick<Site, "url" | "origins" | "originSetting">;
  /** A path below which everybody may read, also pages of other sites; default: none. */
  readonly openBelow?: string;
  /** Default: `DEFAULT_LIMITS`. */
  readonly limits?: HttpLimits;
  /** How many connections one address may have; default: `CONNECTION_BOUND`. */
  readonly perAddress?: ConnectionBound;
  /** Absent for plain HTTP. With TLS, connections wait for `setCertificate`, and a plain request is answered with an explanation. */
  readonly tls?: {
    /** Whether clients must show a certificate of the authority that `setCertificate` gives. */
    readonly clientCertificates: boolean;
    /** Who answers plain HTTP on the same port; default: an explanation of what is wanted. */
    readonly plain?: Pick<HttpHandlers, "request" | "upgrade">;
  };
}

/** A server that listens. */
export interface HttpServer {
  /** What it is bound to, with the port that the system chose for port 0. */
  readonly addresses: readonly ListenAddress[];
  /** What clients are shown from now on: options of Node's TLS. */
  setCertificate(options: SecureContextOptions): void;
  /** Takes no more connections, and ends those that are left after a moment. */
  close(): Promise<void>;
}

/** The bounds of a server. */
export interface HttpLimits {
  /** Links and requests together; each costs about 20 KB. */
  readonly connections: number;
  /** From the first byte of a request to the last one of its head. */
  readonly headersMs: number;
  /** From the first byte of a request to the last one of its body. */
  readonly requestMs: number;
  /** Between two requests of a connection. */
  readonly idleMs: number;
  /** How long requests may take to end when the server closes. */
  readonly closeMs: number;
}

/** For the port of a directory, which has thousands of clients. */
const DEFAULT_LIMITS: HttpLimits = {
  connections: 20_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 60_000,
  closeMs: 1_000,
};

const HEADER_BYTES_MAX = 16 * 1024;

/** Listens on every address, on one port. */
export async function listenHttp(config: HttpConfig, handlers: HttpHandlers): Promise<HttpServer> {
  const loopbackOnly = config.addresses.every(({ host }) => isLoopback(host));
  const refusalOf = (req: IncomingMessage): string | null => {
    const { host } = req.headers;
    // Behind a proxy that changes `Host`, as nginx does by itself, the page loads its own scripts with another Origin.
    const isOpen = config.openBelow !== undefined && isRead(req) && pathOf(req).startsWith(config.openBelow);
    const origin = isOpen ? undefined : req.headers.origin;
    return foreignRequest({ host, origin }, { names: config.names, loopbackOnly, ...config.front });
  };
  const limits = config.limits ?? DEFAULT_LIMITS;
  const guard = limitConnections(config.perAddress ?? CONNECTION_BOUND, (reason) =>
    handlers.tooManyConnections(reason),
  );
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const bound: ListenAddress[] = [];
  try {
    for (const address of config.addresses) {
      const port = bound[0]?.port ?? address.port;
      const server =
        config.tls === undefined
          ? serve({ handlers, refusalOf, limits })
          : serveSecurely({ handlers, refusalOf, limits }, config.tls);
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
      const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), limits.closeMs);
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

const isRead = ({ method, headers }: IncomingMessage): boolean =>
  (method === "GET" || method === "HEAD") && headers.upgrade === undefined;

type RefusalOf = (req: IncomingMessage) => string | null;

interface Served {
  readonly handlers: HttpHandlers;
  readonly refusalOf: RefusalOf;
  readonly limits: HttpLimits;
}

const optionsOf = ({ headersMs, requestMs, idleMs }: HttpLimits): ServerOptions => ({
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  keepAliveTimeout: idleMs,
  connectionsCheckingInterval: headersMs / 2,
  noDelay: true,
});

function serve(served: Served): Server {
  return handle(createServer(optionsOf(served.limits)), served);
}

/** Serves TLS; plain HTTP on the same port is answered by what to do instead, unless somebody else answers it. */
function serveSecurely(served: Served, { clientCertificates, plain }: NonNullable<HttpConfig["tls"]>): Server {
  const { handlers, limits } = served;
  // `setSecureContext` leaves these as they are: they are the server's, not the context's.
  const asked = { requestCert: clientCertificates, rejectUnauthorized: clientCertificates };
  const server = createSecureServer({ ...optionsOf(limits), ...asked, handshakeTimeout: limits.headersMs });
  divertPlain(
    server,
    plain === undefined
      ? createPlainAnswers(handlers)
      : serve({ ...served, handlers: { ...handlers, request: plain.request, upgrade: plain.upgrade } }),
  );
  return handle(server, served);
}

function handle(server: Server, { handlers, refusalOf, limits }: Served): Server {
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const foreign = refusalOf(req);
    if (foreign === null) return handlers.request(req, res);
    handlers.foreign(foreign);
    sendJson(res, 403, errorBody("permission_denied", `Cannot answer: ${foreign}`), { connection: "close" });
  };
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    alone(handlers, req.socket, () => answer(req, res));
  });
  server.on("clientError", answerMalformed);
  server.maxConnections = limits.connections;
  onUpgrade(server, (req, socket, head) =>
    alone(handlers, socket, () => {
      const foreign = refusalOf(req);
      if (foreign === null) return handlers.upgrade(req, socket, head);
      handlers.foreign(foreign);
      endWithRefusal(socket, { code: "permission_denied", message: `Cannot answer: ${foreign}` });
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

/** Answers what Node could not read, which it would do without a word. */
function answerMalformed({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  if (code === "HPE_HEADER_OVERFLOW") {
    const message = `Cannot take a head of more than ${HEADER_BYTES_MAX} bytes`;
    return endWithRefusal(socket, { code: "limit_exceeded", message, status: 431 });
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return endWithRefusal(socket, {
      code: "limit_exceeded",
      message: "Cannot wait longer for the request",
      status: 408,
    });
  }
  endWithRefusal(socket, { code: "invalid_argument", message: "Cannot read the request: it is no HTTP/1.1" });
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
