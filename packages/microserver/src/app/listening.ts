import type { IncomingDelivery } from "@datawire/amqp";
import type { Body } from "../core/body.ts";
import type { Identity, Message } from "../core/message.ts";
import type { Hub } from "../links/hub.ts";
import { ReceiveLink } from "../links/receive-link.ts";
import { Inbox, type Work } from "./inbox.ts";

/** Someone who listens at an address. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  /** Takes no more messages, and resolves when those that are being handled are done. */
  close(): Promise<void>;
}

/** A listener, and how what it listens at is handled. */
export class Listening implements Listener {
  readonly address: string;
  readonly link: ReceiveLink;
  readonly #inbox: Inbox;
  readonly #concurrency: number;
  #isClosing = false;
  onClosed: () => void = () => {};

  constructor(hub: Hub, address: string, options: { readonly concurrency: number; readonly work: Work }) {
    this.address = address;
    this.#inbox = new Inbox(options.work);
    this.#concurrency = options.concurrency;
    this.link = new ReceiveLink(hub, {
      address,
      name: `listen-${hub.deps.chance.id()}`,
      isDurable: false,
      from: null,
      credit: () => (this.#isClosing ? 0 : Math.max(0, this.#concurrency - this.inHand)),
      waitsFor: () => (this.inHand >= this.#concurrency ? "unsettled-limit" : null),
      received: (delivery, message, identity) => this.#received(delivery, message, identity),
    });
  }

  get inHand(): number {
    return this.#inbox.inHand;
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.link.pause();
    }
    await this.#inbox.idle();
    this.link.close(true);
    this.onClosed();
  }

  /** Gives up what is being handled. */
  abandon(): void {
    this.#isClosing = true;
    this.#inbox.abandon();
    this.link.close(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #received(delivery: IncomingDelivery, message: Message, identity: Identity | null): void {
    // What was on its way when the credit was taken back.
    if (this.#isClosing) return delivery.release();
    const done = this.#inbox.take(delivery, message, identity);
    if (done === undefined) this.link.refresh();
    else void done.then(() => this.link.refresh());
  }
}

/** What handlers return is the body of the answer; nothing is null. */
export const answerOf = (returned: unknown): Body => (returned === undefined ? null : (returned as Body));
