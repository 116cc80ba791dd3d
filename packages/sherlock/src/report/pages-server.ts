import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Logger } from "@datawire/runtime";
import type { Page } from "../core/observe/page.ts";

/** Serves the list of services to HAProxy, which asks for it when a client gets `/`; closes when the signal aborts. */
export async function startPages(
  socketPath: string,
  render: (accept: string) => Page,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const server = createServer((req, res) => {
    let page: Page;
    try {
      page = render(req.headers.accept ?? "");
    } catch (error) {
      // In a listener of the server it would end the process.
      log.error("The list of services cannot be made", { error });
      res.writeHead(500, { "content-type": "text/plain" }).end("Sherlock failed; its log says how\n");
      return;
    }
    const { contentType, body } = page;
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
