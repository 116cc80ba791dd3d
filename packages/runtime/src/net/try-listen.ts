import { createServer } from "node:net";
import type { ListenAddress } from "./listen-address.ts";

/** Listens for a moment, and says why it cannot; null when it can. */
export function tryListen({ host, port }: ListenAddress): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
