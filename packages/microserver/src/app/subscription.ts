import type { IncomingDelivery } from "@datawire/amqp";
import { Handled, keyOf } from "../core/handled.ts";
import type { Identity, Message } from "../core/message.ts";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import type { Hub } from "../links/hub.ts";
import { ReceiveLink } from "../links/receive-link.ts";

/** How much is fetched before the loop asks for it. */
const AHEAD = 50;

/** How to subscribe. */
export interface SubscriptionOptions {
  readonly address: string;
  readonly from: string | null;
  /** Of a subscription that is kept; null: gone when the loop ends. */
  readonly name: string | null;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly delivery: IncomingDelivery;
  readonly message: Message;
  readonly key: Identity | null;
}

/** One loop over the messages of an address. */
export class Subscription {
  readonly link: ReceiveLink;
  readonly #options: SubscriptionOptions;
  readonly #handled = new Handled();
  #waiting: Waiting[] = [];
  #current: Waiting | null = null;
  #wake: () => void = () => {};
  #failure: Error | null = null;
  #isEnded = false;

  constructor(hub: Hub, options: SubscriptionOptions) {
    this.#options = options;
    this.link = new ReceiveLink(hub, {
      address: options.address,
      name: options.name ?? `subscribe-${hub.deps.chance.id()}`,
      isDurable: options.name !== null,
      from: options.from,
      credit: () => Math.max(0, AHEAD - this.#waiting.length),
      waitsFor: () => (this.#waiting.length >= AHEAD ? "unsettled-limit" : null),
      received: (delivery, message, identity) => this.#received(delivery, message, identity),
    });
  }

  /** Messages, each accepted when the next is asked for; what was fetched beyond goes back at the end. */
  async *messages(): AsyncGenerator<Message> {
    const { signal, address } = this.#options;
    const stop = (): void => this.fail(abortedError(`wait for messages at ${address}`, signal as AbortSignal));
    if (signal?.aborted === true) throw abortedError(`listen at ${address}`, signal);
    signal?.addEventListener("abort", stop, { once: true });
    this.link.begin().catch((error: unknown) => this.fail(error as Error));
    try {
      for (;;) {
        const next = await this.#next();
        this.#current = next;
        // Handled before, and its settlement was lost on the way.
        if (!this.#handled.has(next.key)) yield next.message;
        this.#handled.add(next.key);
        next.delivery.accept();
        this.#current = null;
        this.link.refresh();
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      this.end();
    }
  }

  /** Ends the loop with an error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Lets go of the link; the router keeps its place in a subscription that has a name. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#current?.delivery.release();
    for (const { delivery } of this.#waiting.splice(0)) delivery.release();
    this.link.close(this.#options.name === null);
    this.fail(new MicroserverError("closed", `Cannot wait for messages at ${this.#options.address}: it is closed`));
  }

  async #next(): Promise<Waiting> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const next = this.#waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      // That of a link that is gone comes again, here or to another.
      else if (!next.delivery.settled || this.#readsOn(next)) return next;
    }
  }

  /** Whether the next link begins behind a message: its topic keeps no place for us. */
  #readsOn({ message }: Waiting): boolean {
    return message.offset !== null && this.#options.name === null;
  }

  #received(delivery: IncomingDelivery, message: Message, identity: Identity | null): void {
    if (this.#isEnded) return delivery.release();
    this.#waiting.push({ delivery, message, key: keyOf(message, identity) });
    this.#wake();
  }
}
