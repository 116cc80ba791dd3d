import { once } from "node:events";
import { connect } from "node:net";
import {
  type AttachOptions,
  Connection,
  type ConnectionEnd,
  type ConnectionEvents,
  type LinkEnd,
  type Sender,
  QUIET_EVENTS,
} from "@datawire/amqp";

/** A client made of the router's own engine, for what rhea cannot say. */
export class EngineClient {
  readonly connection: Connection;
  /** How links and the connection have ended, in order. */
  readonly ends: (LinkEnd | ConnectionEnd)[] = [];

  private constructor(port: number) {
    const socket = connect(port, "127.0.0.1");
    const write = (): void => {
      const bytes = this.connection.takeOutput(performance.now());
      if (bytes !== null) socket.write(bytes);
    };
    const events: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () => void setImmediate(write),
      opened: () => void socket.emit("opened"),
      closed: (end) => void this.ends.push(end),
      linkDetached: (_, end) => void this.ends.push(end),
    };
    this.connection = new Connection({ role: "client", open: { containerId: "engine" } }, events, performance.now());
    socket.on("data", (bytes) => this.connection.receive(bytes, performance.now()));
    socket.on("close", () => this.connection.disconnected());
    this.#opened = once(socket, "opened");
    this.connection.start();
  }

  readonly #opened: Promise<unknown>;

  static async connect(port: number): Promise<EngineClient> {
    const client = new EngineClient(port);
    await client.#opened;
    return client;
  }

  attachSender(name: string, options: AttachOptions): Sender {
    return this.connection.begin().attachSender(name, options);
  }
}
