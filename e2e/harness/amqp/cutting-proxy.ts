import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What stands between a client and a router, and loses what one of them says before it cuts them off. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Whether what the client says arrives. */
  hearsClient = true;
  /** Whether what the router says arrives. */
  hearsRouter = true;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(routerPort: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new CuttingProxy(server);
    server.on("connection", (client: Socket) => {
      const router = connect({ host: "127.0.0.1", port: routerPort });
      for (const socket of [client, router]) {
        proxy.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          proxy.#sockets.delete(socket);
          client.destroy();
          router.destroy();
        });
      }
      client.on("data", (bytes: Buffer) => void (proxy.hearsClient && router.write(bytes)));
      router.on("data", (bytes: Buffer) => void (proxy.hearsRouter && client.write(bytes)));
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections; new ones lose nothing. */
  cut(): void {
    this.hearsClient = true;
    this.hearsRouter = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
