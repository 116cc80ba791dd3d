import type { IncomingMessage, ServerResponse } from "node:http";
import { isLoopback, type ListenAddress, type Logger, type Readiness } from "@datawire/runtime";
import type { Registry } from "prom-client";
import { endWithRefusal, pathOf, send } from "../exchange/answer.ts";
import { healthHandler, metricsHandler, type PageHandler, readyHandler } from "../exchange/pages.ts";
import { type HttpLimits, listenHttp } from "./server.ts";

/** What the pages of an admin port are made of. */
export interface AdminDeps {
  readonly readiness: Pick<Readiness, "missing">;
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly log: Logger;
  /** Asked before the pages of every daemon, and the only ones that may take methods other than GET and HEAD. */
  readonly handlers?: readonly PageHandler[];
}

/** Where an admin port listens. */
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

/** A scraper, a supervisor and a few people. */
const LIMITS: HttpLimits = { connections: 64, headersMs: 10_000, requestMs: 10_000, idleMs: 10_000, closeMs: 0 };

/** Opens an admin port: `startAdmin`, or what takes its place where several parts of one process share one. */
export type StartAdmin = typeof startAdmin;

/** Serves `/healthz`, `/readyz` and `/metrics` until the signal aborts; rejects when it cannot listen. */
export async function startAdmin(
  { listen, setting }: AdminConfig,
  { readiness, registry, log, handlers = [] }: AdminDeps,
  signal: AbortSignal,
): Promise<AdminServer> {
  const pages = [...handlers, healthHandler, readyHandler(readiness), metricsHandler(registry)];
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    for (const page of pages) if (await page(req, res)) return;
    send(res, 404, `no such page: ${pathOf(req)}`);
  };
  const server = await listenHttp(
    {
      addresses: [listen],
      setting,
      names: [listen.host],
      limits: LIMITS,
      perAddress: { max: LIMITS.connections, exempt: isLoopback },
    },
    {
      request(req, res) {
        answer(req, res).catch((error: unknown) => {
          log.error("Admin request failed", { path: req.url, error });
          if (!res.headersSent) send(res, 500, "internal error");
          else res.destroy();
        });
      },
      upgrade: (_req, socket) =>
        endWithRefusal(socket, { code: "not_found", message: "Cannot upgrade: an admin port has pages only" }),
      foreign: () => {},
      failed: (error) => log.error("Admin connection failed, cutting it", { error }),
      tooManyConnections: () => {},
    },
  );
  const closed = new Promise<void>((resolve) => {
    const close = (): void => void server.close().then(resolve);
    if (signal.aborted) close();
    else signal.addEventListener("abort", close, { once: true });
  });
  return { address: server.addresses[0] ?? listen, closed };
}
