import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readiness } from "@datawire/runtime";
import type { Registry } from "prom-client";
import { pathOf, send } from "./answer.ts";

/** Takes a request if it is meant for it, which it says by returning true; the others go on to the next. */
export type PageHandler = (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;

/** A handler of one path that only reads; other methods on it are answered 405. */
export function readOnly(
  path: string,
  handle: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>,
): PageHandler {
  return async (req, res) => {
    if (pathOf(req) !== path) return false;
    if (req.method === "GET" || req.method === "HEAD") await handle(req, res);
    else send(res, 405, `${path} can only be read`, { allow: "GET, HEAD" });
    return true;
  };
}

/** `/healthz`: the process is alive, as it answers. */
export const healthHandler: PageHandler = readOnly("/healthz", (_req, res) => send(res, 200, "ok"));

/**
 * `/readyz`: 200, or 503 with a line for each part that is not ready.
 * @param limit what a process that is ready cannot do all the same; null for nothing.
 */
export const readyHandler = (
  readiness: Pick<Readiness, "missing">,
  limit: () => string | null = () => null,
): PageHandler =>
  readOnly("/readyz", (_req, res) => {
    const missing = readiness.missing();
    const limited = limit();
    if (missing.length === 0) return send(res, 200, limited === null ? "ready" : `ready, but ${limited}`);
    send(res, 503, missing.map(({ part, reason }) => `${part}: ${reason}`).join("\n"));
  });

/** `/metrics`, in the text format of Prometheus. */
export const metricsHandler = (registry: Pick<Registry, "metrics" | "contentType">): PageHandler =>
  readOnly("/metrics", async (_req, res) => {
    const text = await registry.metrics();
    res.writeHead(200, { "content-type": registry.contentType, "cache-control": "no-store" });
    res.end(text);
  });
