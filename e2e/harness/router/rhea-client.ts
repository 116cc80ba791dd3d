import { once } from "node:events";
import rhea from "rhea";

/** rhea, a client of others, with what became of each message it sent and took. */
export class RheaClient {
  readonly connection: rhea.Connection;
  /** Bodies that the router has accepted. */
  readonly accepted = new Set<string>();
  /** Bodies that came, in their order. */
  readonly received: string[] = [];
  /** Bodies whose acceptance the router has settled. */
  readonly settled = new Set<string>();
  readonly #bodies = new Map<number, string>();

  private constructor(connection: rhea.Connection) {
    this.connection = connection;
    // What the router does at its end is what tests look at.
    for (const event of ["disconnected", "connection_error", "error"]) connection.on(event, () => {});
  }

  static async connect(
    port: number,
    containerId = "client",
    more: Partial<rhea.ConnectionOptions> = {},
  ): Promise<RheaClient> {
    const container = rhea.create_container({ id: containerId });
    const connection = container.connect({ port, host: "127.0.0.1", reconnect: false, ...more });
    const client = new RheaClient(connection);
    await new Promise<void>((resolve, reject) => {
      connection.once("connection_open", () => resolve());
      connection.once("disconnected", () => reject(new Error("The router ended the connection before it was open")));
    });
    return client;
  }

  /** Connects, and resolves with why the router ends the connection. */
  static async refusal(port: number): Promise<string> {
    const connection = rhea.create_container().connect({ port, host: "127.0.0.1", reconnect: false });
    connection.on("disconnected", () => {});
    await once(connection, "connection_error");
    return (connection.error as rhea.ConnectionError).description;
  }

  /** Sends bodies as credit allows; `next` gives one, or null for no more. */
  send(
    target: string | { readonly address: string; readonly durable: number },
    next: () => string | null,
  ): rhea.Sender {
    const sender = this.connection.open_sender({ target });
    const bodies = new Map<number, string>();
    const more = (): void => {
      while (sender.sendable()) {
        const body = next();
        if (body === null) return;
        bodies.set(sender.send({ body, durable: true }).id, body);
      }
    };
    sender.on("sendable", more);
    sender.on("accepted", (context: rhea.EventContext) => {
      const id = context.delivery?.id ?? -1;
      this.accepted.add(bodies.get(id) ?? "");
      bodies.delete(id);
      more();
    });
    return sender;
  }

  /** Sends some bodies, and resolves when all are accepted. */
  async sendAll(address: string, bodies: readonly string[]): Promise<void> {
    const left = [...bodies];
    const sender = this.send(address, () => left.shift() ?? null);
    while (!bodies.every((body) => this.accepted.has(body))) await once(sender, "accepted");
    sender.close();
  }

  /** Takes what comes, and says what becomes of it; settles second, so that it hears when that is safe. */
  receive(source: string | rhea.Source, { credit = 100, accepts = true } = {}): rhea.Receiver {
    const receiver = this.connection.open_receiver({
      source,
      credit_window: credit,
      autoaccept: false,
      rcv_settle_mode: 1,
    });
    receiver.on("message", ({ message, delivery }: rhea.EventContext) => {
      const body = String(message?.body);
      this.received.push(body);
      if (!accepts) return;
      this.#bodies.set(delivery?.id ?? -1, body);
      delivery?.accept();
    });
    receiver.on("settled", ({ delivery }: rhea.EventContext) => {
      this.settled.add(this.#bodies.get(delivery?.id ?? -1) ?? "");
      // rhea keeps what it has not settled itself, 2,048 of them and then no more.
      delivery?.update(true);
    });
    return receiver;
  }

  close(): void {
    this.connection.close();
  }
}
