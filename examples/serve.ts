/** What every example service does to come and go without losing a request. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Service {
  readonly host: string;
  readonly port: number;
  /**
   * How long after SIGTERM the port stays open. Watson must have seen the failing check by then, and callers must have
   * been told: more than its interval plus its rechecks, which is 3.1 s by default.
   */
  readonly drainMs: number;
  readonly answer: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;
}

/** Serves until SIGTERM or SIGINT, and resolves when the last request has been answered. */
export async function serve({ host, port, drainMs, answer }: Service): Promise<void> {
  let leaving = false;

  const server = createServer(async (req, res) => {
    if (req.url === "/liveness_check") {
      // Failing the check comes first and everything else later. From here on Watson takes this instance out; while it
      // does, requests still arrive, and are answered as ever.
      res.statusCode = leaving ? 503 : 200;
      return res.end(leaving ? "leaving\n" : "ok\n");
    }
    // A kept-alive connection that is closed just as a request comes in loses it; saying so before avoids that.
    if (leaving) res.setHeader("connection", "close");
    try {
      await answer(req, res);
    } catch (error) {
      res.statusCode = 502;
      res.end(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  console.log(`http://${host}:${(server.address() as AddressInfo).port}`);

  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  leaving = true;
  await new Promise((resolve) => setTimeout(resolve, drainMs));
  // No new connections; those that are open end with the answer that they wait for.
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
