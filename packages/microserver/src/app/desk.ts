import type { IncomingDelivery } from "@datawire/amqp";
import { carrier } from "../core/carrier.ts";
import { Handled, keyOf } from "../core/handled.ts";
import type { Identity, Message } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";

/** Thrown by a handler, it rejects the message: it goes to the dead letters with this reason and does not come again. */
export class Reject extends Error {
  override readonly name = "Reject";
}

/** What a handler gets beside the message. */
export interface HandlerContext {
  /** Aborts when nobody waits for the handler any more: the microserver has to close. */
  readonly signal: AbortSignal;
}

/** What is done with each message. Throws to have it again, or to reject it. */
export type Work = (message: Message, identity: Identity | null, context: HandlerContext) => Promise<void>;

const CONCURRENCY_MAX = 10_000;

/** @throws MicroserverError `invalid_argument` for what is no number of messages at a time. */
export function requireConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= CONCURRENCY_MAX) return;
  const wanted = `wanted a whole number from 1 to ${CONCURRENCY_MAX}`;
  throw new MicroserverError("invalid_argument", `Cannot use ${concurrency} as concurrency: ${wanted}`);
}

/** Where messages are handled, each once however often it comes, and what became of it is said. */
export class Desk {
  readonly #work: Work;
  readonly #stop = new AbortController();
  readonly #handled = new Handled();
  /** By the key of their message, those that can come again while they are handled. */
  readonly #running = new Map<string, Promise<Verdict>>();
  #inHand = 0;
  #idle: (() => void)[] = [];

  constructor(work: Work) {
    this.#work = work;
  }

  /** How many messages are being handled. */
  get inHand(): number {
    return this.#inHand;
  }

  /** Handles a message and says what became of it. */
  async take(delivery: IncomingDelivery, message: Message, identity: Identity | null): Promise<void> {
    this.#inHand++;
    const key = keyOf(message, identity);
    settle(delivery, this.#handled.has(key) ? ACCEPTED : await this.#verdict(key, message, identity));
    this.#inHand--;
    if (this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing is being handled. */
  async idle(): Promise<void> {
    if (this.#inHand > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Gives up what is being handled. */
  abandon(): void {
    this.#stop.abort();
  }

  /** Handles a message once, however often it comes while its settlement is not known to the router. */
  async #verdict(key: string | null, message: Message, identity: Identity | null): Promise<Verdict> {
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
      return ACCEPTED;
    } catch (error) {
      return error instanceof Reject ? { is: "rejected", reason: error.message } : { is: "failed" };
    }
  }
}

type Verdict =
  | { readonly is: "accepted" }
  | { readonly is: "failed" }
  | { readonly is: "rejected"; readonly reason: string };

const ACCEPTED: Verdict = { is: "accepted" };

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
