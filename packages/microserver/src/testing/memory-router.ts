import {
  Connection,
  type ConnectionEvents,
  type Fields,
  type IncomingDelivery,
  type OutgoingDelivery,
  type Receiver,
  type Sender,
  QUIET_EVENTS,
} from "@datawire/amqp";
import type { Dial } from "../transport/wire.ts";

/** The router's side of a connection in memory, which does what a test says. */
export class MemoryRouter {
  /** Called for each link that is asked for; default: accepted, with credit for 100. */
  onAsked: (link: Sender | Receiver) => void = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(100);
  };
  onDelivered: (delivery: IncomingDelivery) => void = (delivery) => delivery.accept();
  onOutcome: (delivery: OutgoingDelivery) => void = () => {};
  /** Called for a link that is asked how it stands. */
  onAsks: (link: Sender | Receiver) => Fields | null = () => null;
  /** Whether it can be reached. */
  isUp = true;
  /** How many connections were asked for. */
  dials = 0;
  #cut: () => void = () => {};

  /** Loses the connection, as when the router is killed. */
  cut(): void {
    this.#cut();
  }

  readonly dial: Dial = async (settings, events) => {
    this.dials++;
    if (!this.isUp) throw new Error("nothing answers");
    let isCut = false;
    let close: () => void = () => {};
    const closed = new Promise<void>((resolve) => (close = resolve));
    const router: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () => queueMicrotask(() => carry(server, client)),
      linkAsked: (link) => this.onAsked(link),
      linkAsks: (link) => this.onAsks(link as Sender | Receiver),
      outcome: (delivery) => {
        this.onOutcome(delivery);
        delivery.settle();
      },
      delivered: (delivery) => this.onDelivered(delivery),
      closed: () => cut(),
    };
    const server = new Connection({ role: "server", open: { containerId: "router" } }, router, 0);
    const ready = (): void => queueMicrotask(() => carry(client, server));
    const client: Connection = new Connection(settings, { ...events, outputReady: ready }, 0);
    const cut = (): void => {
      if (isCut) return;
      isCut = true;
      client.disconnected();
      server.disconnected();
      close();
    };
    this.#cut = cut;
    client.start();
    return { connection: client, closed, destroy: cut };

    function carry(from: Connection, to: Connection): void {
      const bytes = from.takeOutput(0);
      if (bytes !== null && !isCut) to.receive(bytes, 0);
      if (from.done) cut();
    }
  };
}
