import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Page } from "../core/page.ts";

/** Serves the list of services to HAProxy, which asks for it when a client gets `/`; closes when the signal aborts. */
export async function startPages(
  socketPath: string,
  render: (accept: string) => Page,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer((req, res) => {
    const { contentType, body } = render(req.headers.accept ?? "");
    res.writeHead(200, { "content-type": contentType, "cache-control": "no-store" });
    res.end(req.method === "HEAD" ? undefined : body);
  });
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  signal.addEventListener("abort", () => {
    server.close();
    server.closeAllConnections();
  });
}
