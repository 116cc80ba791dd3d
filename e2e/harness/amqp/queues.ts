import { type IncomingDelivery, type Receiver, type Sender, Sections } from "@datawire/amqp";
import type { SomeEvents } from "./peer.ts";

interface Stored {
  readonly bytes: Uint8Array;
  readonly from: IncomingDelivery;
}

/**
 * Queues in memory, by address: as little as foreign clients need to talk to each other through the engine. What a
 * consumer does with a message its sender hears.
 */
export class Queues {
  readonly #queues = new Map<string, { readonly waiting: Stored[]; readonly senders: Set<Sender> }>();
  #temporary = 0;
  /** Links that were let go of, with why. */
  readonly detached: string[] = [];

  readonly events = (): SomeEvents => ({
    linkAsked: (link) => this.#asked(link),
    linkDetached: (link, { error }) => {
      this.detached.push(`${link.name} ${error?.condition ?? ""}`.trim());
      if (link.isReceiver) return;
      const sender = link;
      const queue = this.#queue(String(sender.context));
      queue.senders.delete(sender);
      for (const delivery of sender.unsettled) queue.waiting.unshift(delivery.context as Stored);
      this.#pump(String(sender.context));
    },
    delivered: (delivery) => this.#delivered(delivery),
    flow: (sender) => this.#pump(String(sender.context)),
    outcome: (delivery) => {
      const { from } = delivery.context as Stored;
      if (delivery.state !== null) from.settle(delivery.state);
      delivery.settle();
    },
  });

  #asked(link: Sender | Receiver): void {
    if (link.isReceiver) {
      const target = link.remote?.target;
      if (target?.type === "coordinator") return link.refuse({ condition: "amqp:not-implemented" });
      link.context = target?.address ?? null;
      link.accept({ maxMessageSize: 1_000_000 });
      return link.setCredit(100);
    }
    const source = link.remote?.source ?? {};
    const address = source.dynamic === true ? `temporary-${this.#temporary++}` : source.address;
    if (address === undefined || address === "nowhere") {
      return link.refuse({ condition: "amqp:not-found", description: "Cannot attach: there is no such address" });
    }
    link.context = address;
    link.accept({ source: { ...source, address } });
    this.#queue(address).senders.add(link);
  }

  #delivered(delivery: IncomingDelivery): void {
    delivery.receiver.keepCredit(100);
    let address = delivery.receiver.context as string | null;
    if (address === null) {
      const sections = new Sections();
      sections.scan(delivery.message);
      address = sections.properties()?.to ?? null;
    }
    if (address === null) return delivery.reject({ condition: "amqp:not-found" });
    this.#queue(address).waiting.push({ bytes: delivery.message.slice(), from: delivery });
    this.#pump(address);
  }

  #pump(address: string): void {
    const { waiting, senders } = this.#queue(address);
    for (const sender of senders) {
      while (waiting.length > 0 && sender.canSend()) {
        const message = waiting.shift();
        const delivery = message === undefined ? null : sender.send(message.bytes);
        if (delivery === null || message === undefined) break;
        delivery.context = message;
        if (delivery.settled) message.from.accept();
      }
      if (sender.drain && waiting.length === 0) sender.drained();
    }
  }

  #queue(address: string): { readonly waiting: Stored[]; readonly senders: Set<Sender> } {
    const queue = this.#queues.get(address) ?? { waiting: [], senders: new Set() };
    this.#queues.set(address, queue);
    return queue;
  }
}
