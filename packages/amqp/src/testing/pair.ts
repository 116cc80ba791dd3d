import { Connection } from "../connection/connection.ts";
import type { ConnectionEnd, ConnectionEvents } from "../connection/connection-events.ts";
import type { LinkEnd } from "../link/link.ts";
import type { IncomingDelivery, Receiver } from "../link/receiver.ts";
import type { OutgoingDelivery, Sender } from "../link/sender.ts";
import type { Session } from "../session/session.ts";
import type { ConnectionSettings } from "../connection/settings.ts";
import type { AmqpError } from "../frames/error.ts";
import type { Fields } from "../frames/fields.ts";
import type { Open } from "../frames/performatives.ts";

/** Takes all that a connection tells, in order and in words, and lets a test answer. */
export class Recorder implements ConnectionEvents {
  readonly told: string[] = [];
  end: ConnectionEnd | null = null;
  onLinkAsked: (link: Sender | Receiver) => void = (link) => link.accept();
  onDelivered: (delivery: IncomingDelivery) => void = (delivery) => delivery.accept();
  onFlow: (sender: Sender) => void = () => {};
  onOutcome: (delivery: OutgoingDelivery) => void = (delivery) => delivery.settle();
  onSettled: (delivery: IncomingDelivery) => void = () => {};
  onDetached: (link: Sender | Receiver, end: LinkEnd) => void = () => {};
  onOutputReady: () => void = () => {};
  onAsked: () => Fields | null = () => null;

  outputReady(): void {
    this.onOutputReady();
  }

  opened(open: Open): void {
    this.told.push(`opened ${open.containerId}`);
  }

  sessionBegan(session: Session): void {
    this.told.push(`began ${session.channel}`);
  }

  sessionEnded(session: Session, error: AmqpError | null): void {
    this.told.push(`ended ${session.channel}${conditionOf(error)}`);
  }

  linkAsked(link: Sender | Receiver): void {
    this.told.push(`asked ${link.name}`);
    this.onLinkAsked(link);
  }

  linkAttached(link: Sender | Receiver): void {
    this.told.push(`attached ${link.name}`);
  }

  linkDetached(link: Sender | Receiver, end: LinkEnd): void {
    this.told.push(`detached ${link.name}${end.closed ? " closed" : ""}${conditionOf(end.error)}`);
    this.onDetached(link, end);
  }

  linkAsks(): Fields | null {
    return this.onAsked();
  }

  flow(sender: Sender): void {
    this.onFlow(sender);
  }

  senderFlow(receiver: Receiver): void {
    this.told.push(`sender-flow ${receiver.name} credit ${receiver.credit}`);
  }

  delivered(delivery: IncomingDelivery): void {
    this.told.push(`delivered ${delivery.receiver.name} ${delivery.message.length}`);
    this.onDelivered(delivery);
  }

  outcome(delivery: OutgoingDelivery): void {
    this.told.push(`${delivery.state?.type} ${delivery.id}${delivery.settled ? " settled" : ""}`);
    this.onOutcome(delivery);
  }

  settled(delivery: IncomingDelivery): void {
    this.told.push(`settled ${delivery.id}`);
    this.onSettled(delivery);
  }

  closed(end: ConnectionEnd): void {
    this.told.push(`closed by ${end.by}${conditionOf(end.error)}`);
    this.end = end;
  }
}

function conditionOf(error: AmqpError | null): string {
  return error === null ? "" : ` ${error.condition}`;
}

/** Two connections that talk to each other in memory. */
export interface Pair {
  readonly client: Connection;
  readonly server: Connection;
  readonly clientTold: Recorder;
  readonly serverTold: Recorder;
  /** Carries bytes to and fro until neither has more to say. */
  settle(): void;
  /** The time of both, in milliseconds. */
  nowMs: number;
}

/** How a pair is made. */
export interface PairOptions {
  readonly client?: Partial<ConnectionSettings>;
  readonly server?: Partial<ConnectionSettings>;
  /** Cuts what one side wrote into pieces; default: none. */
  readonly cut?: (bytes: Uint8Array) => Iterable<Uint8Array>;
}

/** Makes a client and a server that have not exchanged anything. */
export function makePair({ client: forClient, server: forServer, cut = (bytes) => [bytes] }: PairOptions = {}): Pair {
  const clientTold = new Recorder();
  const serverTold = new Recorder();
  const client = new Connection({ role: "client", open: { containerId: "client" }, ...forClient }, clientTold, 0);
  const server = new Connection({ role: "server", open: { containerId: "server" }, ...forServer }, serverTold, 0);
  const pair: Pair = {
    client,
    server,
    clientTold,
    serverTold,
    nowMs: 0,
    settle() {
      for (let idle = 0; idle < 2;) {
        const fromClient = client.takeOutput(pair.nowMs);
        const fromServer = server.takeOutput(pair.nowMs);
        for (const piece of fromClient === null ? [] : cut(fromClient)) server.receive(piece, pair.nowMs);
        for (const piece of fromServer === null ? [] : cut(fromServer)) client.receive(piece, pair.nowMs);
        idle = fromClient === null && fromServer === null ? idle + 1 : 0;
      }
    },
  };
  client.start();
  return pair;
}
