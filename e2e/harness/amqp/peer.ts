import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Connection, type ConnectionEvents, type ConnectionSettings, QUIET_EVENTS } from "@datawire/amqp";

/** Events of which a test wants only some. */
export type SomeEvents = Partial<Omit<ConnectionEvents, "outputReady">>;

/** A connection of the engine on a socket. */
class Peer {
  readonly connection: Connection;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, settings: ConnectionSettings, events: SomeEvents) {
    this.#socket = socket;
    const ignored = (): void => {};
    const all: ConnectionEvents = {
      ...QUIET_EVENTS,
      linkAsked: (link) => link.accept(),
      delivered: (delivery) => delivery.accept(),
      outcome: (delivery) => delivery.settle(),
      ...events,
      outputReady: () => setImmediate(() => this.#write()),
    };
    this.connection = new Connection(settings, all, Date.now());
    socket.setNoDelay(true);
    socket.on("data", (bytes) => {
      this.connection.receive(bytes, Date.now());
      this.#tick();
    });
    socket.on("drain", () => {
      this.connection.setCongested(false);
      socket.resume();
    });
    socket.on("error", ignored);
    socket.on("close", () => {
      clearTimeout(this.#timer);
      this.connection.disconnected();
    });
    this.#tick();
  }

  #write(): void {
    const bytes = this.connection.takeOutput(Date.now());
    if (bytes !== null && !this.#socket.write(bytes)) {
      this.connection.setCongested(true);
      this.#socket.pause();
    }
    if (this.connection.done) this.#socket.end();
  }

  #tick(): void {
    clearTimeout(this.#timer);
    const nextMs = this.connection.tick(Date.now());
    if (nextMs !== null) this.#timer = setTimeout(() => this.#tick(), Math.max(0, nextMs - Date.now()));
  }
}

/** Connects to a server; `start` and all else is the caller's. */
export async function connectPeer(
  port: number,
  settings: Partial<ConnectionSettings>,
  events: SomeEvents,
): Promise<Connection> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const peer = new Peer(socket, { role: "client", open: { containerId: "engine" }, ...settings }, events);
  peer.connection.start();
  return peer.connection;
}

/** A server on a port of its own; `events` are made for each connection. */
export class PeerServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(settings: Partial<ConnectionSettings>, events: (connection: () => Connection) => SomeEvents) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      const peer: Peer = new Peer(
        socket,
        { role: "server", open: { containerId: "engine", offeredCapabilities: ["ANONYMOUS-RELAY"] }, ...settings },
        events(() => peer.connection),
      );
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
