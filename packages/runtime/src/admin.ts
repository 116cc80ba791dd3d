import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { foreignRequest } from "./foreign-request.ts";
import { type ListenAddress, isLoopback } from "./listen-address.ts";
import type { Logger } from "./log.ts";
import type { Readiness } from "./ready.ts";
import { listenError } from "./system-error.ts";

/** Takes a request if it is meant for it, which it says by returning true; the others go on to the next. */
export type AdminHandler = (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;

export interface AdminDeps {
  readonly readiness: Pick<Readiness, "missing">;
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly log: Logger;
  /** Asked before the endpoints of every daemon, and the only ones that may take methods other than GET and HEAD. */
  readonly handlers?: readonly AdminHandler[];
}

export interface AdminConfig {
  readonly listen: ListenAddress;
  /** The flag or key that chose the address, for messages. */
  readonly setting: string;
}

/** An admin port that is open. */
export interface AdminServer {
  /** What it is bound to, with the port that the system chose for port 0. */
  readonly address: ListenAddress;
  /** Resolves when the server has closed, after the signal has aborted. */
  readonly closed: Promise<void>;
}

const CONNECTIONS_MAX = 64;
const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_MS_MAX = 10_000;

/** Serves `/healthz`, `/readyz` and `/metrics` until the signal aborts; rejects when it cannot listen. */
export async function startAdmin(config: AdminConfig, deps: AdminDeps, signal: AbortSignal): Promise<AdminServer> {
  const handlers = [
    ...(deps.handlers ?? []),
    healthHandler,
    readyHandler(deps.readiness),
    metricsHandler(deps.registry),
  ];
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: REQUEST_MS_MAX / 2,
    },
    (req, res) => {
      answer(req, res, { listen: config.listen, handlers }).catch((error: unknown) => {
        deps.log.error("Admin request failed", { path: req.url, error });
        if (!res.headersSent) send(res, 500, "internal error");
        else res.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  await listen(server, config);
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  if (signal.aborted) close();
  else signal.addEventListener("abort", close, { once: true });
  const { address, port } = server.address() as AddressInfo;
  return { address: { host: address, port }, closed };
}

/** Answers with text and closes the exchange. */
export function send(res: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers });
  res.end(`${text}\n`);
}

function listen(server: Server, { listen: address, setting }: AdminConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, address, setting)));
    server.listen({ host: address.host, port: address.port }, resolve);
  });
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { listen, handlers }: { readonly listen: ListenAddress; readonly handlers: readonly AdminHandler[] },
): Promise<void> {
  const { host, origin } = req.headers;
  const foreign = foreignRequest({ host, origin }, { names: [listen.host], loopbackOnly: isLoopback(listen.host) });
  if (foreign !== null) return send(res, 403, `refused: ${foreign}`);
  for (const handler of handlers) if (await handler(req, res)) return;
  send(res, 404, `no such page: ${pathOf(req)}`);
}

/** The path of a request without its query. */
export const pathOf = (req: IncomingMessage): string => (req.url ?? "/").replace(/[?#].*$/s, "");

/** A handler of one path that only reads; other methods on it are answered 405. */
export function readOnly(
  path: string,
  handle: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>,
): AdminHandler {
  return async (req, res) => {
    if (pathOf(req) !== path) return false;
    if (req.method === "GET" || req.method === "HEAD") await handle(req, res);
    else send(res, 405, `${path} can only be read`, { allow: "GET, HEAD" });
    return true;
  };
}

/** `/healthz`: the process is alive, as it answers. */
export const healthHandler: AdminHandler = readOnly("/healthz", (_req, res) => send(res, 200, "ok"));

/**
 * `/readyz`: 200, or 503 with a line for each part that is not ready.
 * @param limit what a process that is ready cannot do all the same; null for nothing.
 */
export const readyHandler = (
  readiness: Pick<Readiness, "missing">,
  limit: () => string | null = () => null,
): AdminHandler =>
  readOnly("/readyz", (_req, res) => {
    const missing = readiness.missing();
    const limited = limit();
    if (missing.length === 0) return send(res, 200, limited === null ? "ready" : `ready, but ${limited}`);
    send(res, 503, missing.map(({ part, reason }) => `${part}: ${reason}`).join("\n"));
  });

/** `/metrics`, in the text format of Prometheus. */
export const metricsHandler = (registry: Pick<Registry, "metrics" | "contentType">): AdminHandler =>
  readOnly("/metrics", async (_req, res) => {
    const text = await registry.metrics();
    res.writeHead(200, { "content-type": registry.contentType, "cache-control": "no-store" });
    res.end(text);
  });
