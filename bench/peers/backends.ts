import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Backend } from "./peer.ts";

/** The instances of all services: servers of this process, each with a port of its own. */
export class Backends {
  readonly #servers = new Map<string, Server>();
  #started = 0;

  async start(service: string, options: { readonly isNew?: boolean } = {}): Promise<Backend> {
    const name = `${service}-${this.#started++}`;
    const server = createServer((_req, res) => res.end(name)).listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.set(name, server);
    return { service, name, port: (server.address() as AddressInfo).port, ...options };
  }

  /** Ends one as a crash does: its connections go with it. */
  kill(name: string): void {
    const server = this.#servers.get(name);
    server?.close();
    server?.closeAllConnections();
  }

  end(): void {
    for (const name of this.#servers.keys()) this.kill(name);
  }
}
