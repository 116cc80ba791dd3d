import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  createSaslServer,
  type IncomingDelivery,
  type OutgoingDelivery,
  type Receiver,
  type SaslServer,
  type Sender,
  WireFailure,
} from "@datawire/amqp";
import { type Draft, headOf, type Identity, type Message, readMessage } from "../core/message.ts";
import { isThisMachine } from "../transport/router-url.ts";
import { driveSocket } from "../transport/socket-wire.ts";
import type { Wire, WireEvents } from "../transport/wire.ts";

/** What the connections of a port have in common. */
export interface Served {
  /** The name, without slashes in front. */
  readonly address: string;
  readonly container: string;
  /** How many messages a link may have on their way and in hand. */
  readonly credit: number;
  newId(): string;
  /** Whether a user with a password may connect; left out where no password is asked for. */
  readonly allow?: (user: string, password: string) => boolean | Promise<boolean>;
  /** Handles a message. @returns undefined where it is settled by then, else a promise of that */
  take(
    delivery: IncomingDelivery,
    message: Message,
    identity: Identity | null,
    caller: Caller,
  ): Promise<void> | undefined;
}

const MESSAGE_BYTES_MAX = 104_857_600;
/** Answers that wait for their asker's credit; more are dropped, as for one who is gone. */
const ANSWERS_MAX = 10_000;
const CLOSE_MS_MAX = 1_000;

interface Answers {
  readonly link: Sender;
  readonly waiting: { readonly draft: Draft; readonly identity: Identity }[];
}

/** Somebody who is connected to a port of our own: their links lead to us, and those for answers back to them. */
export class Caller {
  readonly #served: Served;
  readonly #wire: Wire;
  readonly #incoming = new Set<Receiver>();
  /** By their addresses, which are of this connection alone. */
  readonly #answers = new Map<string, Answers>();
  #isClosing = false;

  constructor(socket: Socket, served: Served) {
    this.#served = served;
    socket.setNoDelay(true);
    socket.on("error", () => {}); // `close` follows
    this.#wire = driveSocket(
      socket,
      {
        role: "server",
        open: { containerId: served.container },
        saslServer: saslOf(socket, served.allow),
        saslRequired: served.allow !== undefined,
      },
      this.#events(),
    );
  }

  get closed(): Promise<void> {
    return this.#wire.closed;
  }

  /** Sends an answer where it is to go; false where that is not on this connection. */
  readonly answer = (replyTo: string, draft: Draft, identity: Identity): boolean => {
    const answers = this.#answers.get(replyTo);
    if (answers === undefined) return false;
    if (answers.waiting.length < ANSWERS_MAX) answers.waiting.push({ draft, identity });
    this.#pump(answers);
    return true;
  };

  /** Lets no more come. */
  pause(): void {
    this.#isClosing = true;
    for (const link of this.#incoming) link.setCredit(0);
  }

  destroy(): void {
    this.#wire.destroy();
  }

  async close(): Promise<void> {
    this.#wire.connection.close();
    const timer = setTimeout(() => this.#wire.destroy(), CLOSE_MS_MAX);
    await this.closed;
    clearTimeout(timer);
  }

  #events(): WireEvents {
    const nothing = (): void => {};
    return {
      opened: nothing,
      sessionBegan: nothing,
      sessionEnded: nothing,
      settled: nothing,
      senderFlow: nothing,
      linkAttached: nothing,
      linkAsked: (link) => this.#asked(link),
      linkDetached: (link) => this.#detached(link),
      delivered: (delivery) => this.#delivered(delivery),
      flow: (sender) => {
        const answers = sender.context as Answers | null;
        if (answers !== null) this.#pump(answers);
        if (sender.drain) sender.drained();
      },
      outcome: (delivery: OutgoingDelivery) => delivery.settle(),
      closed: nothing,
    };
  }

  #asked(link: Sender | Receiver): void {
    const { address, credit, newId } = this.#served;
    if (this.#isClosing) return link.refuse({ condition: "amqp:resource-deleted", description: "It is about to stop" });
    if (!link.isReceiver) {
      if (link.remote?.source?.dynamic !== true) {
        const description = `Cannot listen here: whoever sends to ${address} may attach, and whoever wants answers`;
        return link.refuse({ condition: "amqp:not-allowed", description });
      }
      const place = `$temp/${newId()}`;
      const answers: Answers = { link, waiting: [] };
      link.context = answers;
      this.#answers.set(place, answers);
      return link.accept({ source: { address: place, dynamic: true } });
    }
    const target = link.remote?.target;
    const wanted = target !== undefined && target !== null && "address" in target ? (target.address ?? "") : "";
    if (!isAt(wanted, address)) {
      const description = `Cannot send to ${JSON.stringify(wanted)} here: this is ${address}`;
      return link.refuse({ condition: "amqp:not-found", description });
    }
    link.accept({ maxMessageSize: MESSAGE_BYTES_MAX });
    link.setCredit(credit);
    this.#incoming.add(link);
  }

  #detached(link: Sender | Receiver): void {
    this.#incoming.delete(link as Receiver);
    for (const [place, answers] of this.#answers) if (answers.link === link) this.#answers.delete(place);
  }

  #delivered(delivery: IncomingDelivery): void {
    const { address, credit, take } = this.#served;
    const read = readMessage(delivery.message, address);
    const { receiver } = delivery;
    const refresh = (): void => {
      if (receiver.attached && !this.#isClosing) receiver.setCredit(Math.max(0, credit - receiver.unsettled.size));
    };
    if (read instanceof WireFailure) {
      delivery.reject({ condition: read.condition, description: read.message });
      return refresh();
    }
    if (this.#isClosing) return delivery.release();
    const done = take(delivery, read.message, read.identity, this);
    if (done === undefined) refresh();
    else void done.then(refresh);
  }

  #pump({ link, waiting }: Answers): void {
    while (waiting.length > 0 && link.canSend()) {
      const [first] = waiting.splice(0, 1);
      if (first !== undefined) link.send(first.draft.rest, { head: headOf(first.draft, first.identity) });
    }
  }
}

/** Without anybody to ask, everybody may come; a password is heard where nobody else hears it. */
function saslOf(socket: Socket, allow: Served["allow"]): SaslServer {
  if (allow === undefined) return createSaslServer({ anonymous: "anonymous" });
  const isPrivate = socket instanceof TLSSocket || isThisMachine((socket.remoteAddress ?? "").replace(/^::ffff:/, ""));
  if (!isPrivate) return createSaslServer({});
  return createSaslServer({
    plain(user, password, answer) {
      const asked = (async () => allow(user, password))();
      asked.then(
        (isAllowed) => answer(isAllowed ? user : null),
        () => answer(null),
      );
    },
  });
}

/** Whether an address is the one served or below it; `//services/barker` is told from `barker/x` by whoever routes. */
function isAt(wanted: string, address: string): boolean {
  const name = wanted
    .replace(/^\/\//, "")
    .replace(/[?@(].*$/, "")
    .replace(/^services\//, "");
  return name === address || name.startsWith(`${address}/`);
}
