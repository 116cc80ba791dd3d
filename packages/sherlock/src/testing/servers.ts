import type { AddressInfo, Server } from "node:net";

/** Servers of a test, which end with it. */
export class Servers {
  readonly #servers: (Server & { closeAllConnections?(): void })[] = [];

  /** Has a server listen on loopback, at a port of its own unless one is given. @returns the port. */
  async listen(server: Server, port = 0, host = "127.0.0.1"): Promise<number> {
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  /** Ends all of them, with every connection of those that speak HTTP. */
  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections?.();
    }
  }
}
