import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { endWithRefusal, errorBody, listenHttp, sendJson } from "@datawire/http";
import { describeError, isLoopback, type ListenAddress } from "@datawire/runtime";
import type { ShownTls } from "../config/shown-tls.ts";
import type { Peers } from "../wire/listener.ts";
import type { PeerDeps } from "../wire/peer.ts";
import { AmqpUpgrade } from "./amqp-upgrade.ts";
import { keepOwnCertificate } from "./own-certificate.ts";
import { type PageSources, servePage } from "./pages.ts";

/** How the web port is to be. */
export interface WebConfig {
  readonly listen: ListenAddress;
  /** The names that the router is known by. */
  readonly host: string;
  /** Origins of pages from elsewhere that may connect. */
  readonly origins: readonly string[];
  readonly connectionsMax: number;
  readonly messageBytesMax: number;
  /** Null, and as long as there is none: a certificate of the router's own authority, which is in this folder. */
  readonly tls: ShownTls | null;
  readonly dataDir: string;
}

/** What the web port works with. */
export interface WebDeps {
  readonly peer: PeerDeps;
  readonly peers: Peers;
  readonly pages: PageSources;
}

/** A web port that is open. */
export interface WebPort {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** A client has as long for TLS and the head of a request as it has to open AMQP (section 7). */
const LIMITS = { headersMs: 5_000, requestMs: 10_000, idleMs: 30_000, closeMs: 1_000 };
/** Connections that ask for pages, beside those of AMQP. */
const PAGES_MAX = 1_000;

/**
 * Opens the web port: pages and the browser library over HTTPS, and AMQP over WebSocket at any path.
 * @throws Error that says why it cannot listen, or what is wrong with the authority.
 */
export async function openWeb(config: WebConfig, { peer, peers, pages }: WebDeps): Promise<WebPort> {
  const { clock, log } = peer;
  const { connectionsMax, messageBytesMax } = config;
  const amqp = new AmqpUpgrade({ connectionsMax, messageBytesMax }, peer, peers);
  const request = (req: IncomingMessage, res: ServerResponse): void => {
    // A page from elsewhere that may connect may have the library too.
    if (config.origins.length > 0) res.setHeader("vary", "Origin");
    const { origin = "" } = req.headers;
    if (config.origins.includes(origin)) res.setHeader("access-control-allow-origin", origin);
    servePage(req, res, pages).catch((error: unknown) => {
      log.debug("Page failed", { error: describeError(error) });
      if (res.headersSent) res.destroy();
      else sendJson(res, 500, errorBody("unavailable", "Cannot read the page"));
    });
  };
  const server = await listenHttp(
    {
      addresses: [config.listen],
      setting: "web",
      names: [config.host, hostname()],
      front: { origins: config.origins, originSetting: "web_origins" },
      limits: { ...LIMITS, connections: connectionsMax + PAGES_MAX },
      tls: {
        clientCertificates: false,
        plain: {
          request(req, res) {
            if (isFromHere(req)) return redirectToTls(req, res);
            sendJson(res, 400, errorBody("invalid_argument", PLAIN), { connection: "close" });
          },
          upgrade(req, socket, head) {
            if (isFromHere(req)) return amqp.take(req, socket, head);
            endWithRefusal(socket, { code: "invalid_argument", message: PLAIN });
          },
        },
      },
    },
    {
      request,
      upgrade: (req, socket, head) => amqp.take(req, socket, head),
      foreign: (reason) => log.debug("Request refused", { reason }),
      failed: (error) => log.debug("Web connection failed", { error: describeError(error) }),
      tooManyConnections: (reason) => reason !== null && log.info("Web connections refused", { reason }),
    },
  );
  let stopRenewing = (): void => {};
  const show = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
    stopRenewing();
    server.setCertificate({ cert, key });
  };
  config.tls?.onChange(show);
  try {
    const current = config.tls?.current ?? null;
    if (current !== null) show(current);
    else stopRenewing = await keepOwnCertificate(config, { clock, log, set: (own) => server.setCertificate(own) });
  } catch (error) {
    await server.close();
    throw error;
  }
  return {
    address: server.addresses[0] ?? config.listen,
    async close() {
      stopRenewing();
      await Promise.all([amqp.close(), server.close()]);
    },
  };
}

const PLAIN = "Cannot answer without TLS, which only programs on this machine may leave out: wanted https:// or wss://";

const isFromHere = ({ socket }: IncomingMessage): boolean =>
  isLoopback(socket.remoteAddress?.replace(/^::ffff:/, "") ?? "");

/** To the same place over TLS; `Host` was looked at before, as a name of this server. */
function redirectToTls(req: IncomingMessage, res: ServerResponse): void {
  const location = `https://${req.headers.host ?? "localhost"}${req.url?.startsWith("/") === true ? req.url : "/"}`;
  res.writeHead(307, { location, "cache-control": "no-store", connection: "close" }).end();
}
