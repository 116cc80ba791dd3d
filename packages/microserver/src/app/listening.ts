import type { IncomingDelivery } from "@datawire/amqp";
import type { Body } from "../core/body.ts";
import { carrier } from "../core/carrier.ts";
import { Handled, keyOf } from "../core/handled.ts";
import type { Identity, Message } from "../core/message.ts";
import type { Hub } from "../links/hub.ts";
import { ReceiveLink } from "../links/receive-link.ts";

/** Thrown by a handler, it rejects the message: it goes to the dead letters with this reason and does not come again. */
export class Reject extends Error {
  override readonly name = "Reject";
}

/** Someone who listens at an address. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  /** Takes no more messages, and resolves when those that are being handled are done. */
  close(): Promise<void>;
}

/** What a handler gets beside the message. */
export interface HandlerContext {
  /** Aborts when nobody waits for the handler any more: the microserver has to close. */
  readonly signal: AbortSignal;
}

/** What is done with each message. Throws to have it again, or to reject it. */
export type Work = (message: Message, identity: Identity | null, context: HandlerContext) => Promise<void>;

/** A listener, and how what it listens at is handled. */
export class Listening implements Listener {
  readonly address: string;
  readonly link: ReceiveLink;
  readonly #work: Work;
  readonly #concurrency: number;
  readonly #chance: Hub["deps"]["chance"];
  readonly #stop = new AbortController();
  readonly #handled = new Handled();
  /** By the key of their message, those that can come again while they are handled. */
  readonly #running = new Map<string, Promise<Verdict>>();
  #inHand = 0;
  #isClosing = false;
  #idle: (() => void)[] = [];
  onClosed: () => void = () => {};

  constructor(hub: Hub, address: string, options: { readonly concurrency: number; readonly work: Work }) {
    this.address = address;
    this.#work = options.work;
    this.#concurrency = options.concurrency;
    this.#chance = hub.deps.chance;
    this.link = new ReceiveLink(hub, {
      address,
      name: `listen-${this.#chance.id()}`,
      isDurable: false,
      from: null,
      credit: () => (this.#isClosing ? 0 : Math.max(0, this.#concurrency - this.#inHand)),
      waitsFor: () => (this.#inHand >= this.#concurrency ? "unsettled-limit" : null),
      received: (delivery, message, identity) => void this.#received(delivery, message, identity),
    });
  }

  get inHand(): number {
    return this.#inHand;
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.link.pause();
    }
    if (this.#inHand > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.link.close(true);
    this.onClosed();
  }

  /** Gives up what is being handled. */
  abandon(): void {
    this.#isClosing = true;
    this.#stop.abort();
    this.link.close(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #received(delivery: IncomingDelivery, message: Message, identity: Identity | null): Promise<void> {
    // What was on its way when the credit was taken back.
    if (this.#isClosing) return delivery.release();
    this.#inHand++;
    const key = keyOf(message, identity);
    settle(delivery, await this.#verdict(key, message, identity));
    this.#inHand--;
    this.link.refresh();
    if (this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Handles a message once, however often it comes while its settlement is not known to the router. */
  async #verdict(key: string | null, message: Message, identity: Identity | null): Promise<Verdict> {
    if (this.#handled.has(key)) return { is: "accepted" };
    const running = key === null ? undefined : this.#running.get(key);
    if (running !== undefined) return running;
    const promise = this.#handle(message, identity);
    if (key === null) return promise;
    this.#running.set(key, promise);
    const verdict = await promise;
    this.#running.delete(key);
    if (verdict.is === "accepted") this.#handled.add(key);
    return verdict;
  }

  async #handle(message: Message, identity: Identity | null): Promise<Verdict> {
    try {
      await carrier().run(message, () => this.#work(message, identity, { signal: this.#stop.signal }));
      return { is: "accepted" };
    } catch (error) {
      return error instanceof Reject ? { is: "rejected", reason: error.message } : { is: "failed" };
    }
  }
}

type Verdict =
  | { readonly is: "accepted" }
  | { readonly is: "failed" }
  | { readonly is: "rejected"; readonly reason: string };

function settle(delivery: IncomingDelivery, verdict: Verdict): void {
  switch (verdict.is) {
    case "accepted":
      return delivery.accept();
    case "failed":
      return delivery.modify({ deliveryFailed: true });
    case "rejected":
      return delivery.reject({ condition: "amqp:not-allowed", description: verdict.reason });
  }
}

/** What handlers return is the body of the answer; nothing is null. */
export const answerOf = (returned: unknown): Body => (returned === undefined ? null : (returned as Body));
