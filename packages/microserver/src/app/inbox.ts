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

/** What is done with each message, over when it returns or when the promise that it returns resolves. Throws to have it again, or to reject it. */
export type Work = (message: Message, identity: Identity | null, context: HandlerContext) => unknown;

const CONCURRENCY_MAX = 10_000;

/** @throws MicroserverError `invalid_argument` for what is no number of messages at a time. */
export function requireConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= CONCURRENCY_MAX) return;
  const wanted = `wanted a whole number from 1 to ${CONCURRENCY_MAX}`;
  throw new MicroserverError("invalid_argument", `Cannot use ${concurrency} as concurrency: ${wanted}`);
}

/**
 * Where messages are handled, each once however often it comes, and what became of it is said. What a handler does at once
 * is settled at once: promises are made only where it returns one.
 */
export class Inbox {
  readonly #work: Work;
  readonly #stop = new AbortController();
  readonly #context: HandlerContext = { signal: this.#stop.signal };
  readonly #handled = new Handled();
  /** By what their message is known, those that can come again while they are handled. */
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

  /** Handles a message and says what became of it; undefined where that is done. */
  take(delivery: IncomingDelivery, message: Message, identity: Identity | null): Promise<void> | undefined {
    const key = keyOf(message, identity);
    if (this.#handled.has(key)) {
      delivery.accept();
      return undefined;
    }
    this.#inHand++;
    const verdict = this.#verdict(key, message, identity);
    if (verdict instanceof Promise) return verdict.then((late) => this.#done(delivery, late));
    this.#done(delivery, verdict);
    return undefined;
  }

  /** Resolves when nothing is being handled. */
  async idle(): Promise<void> {
    if (this.#inHand > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Gives up what is being handled. */
  abandon(): void {
    this.#stop.abort();
  }

  #done(delivery: IncomingDelivery, verdict: Verdict): void {
    settle(delivery, verdict);
    this.#inHand--;
    if (this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Handles a message once, however often it comes while its settlement is not known to the router. */
  #verdict(key: Identity | null, message: Message, identity: Identity | null): Verdict | Promise<Verdict> {
    const name = key === null || this.#running.size === 0 ? null : nameOf(key);
    const running = name === null ? undefined : this.#running.get(name);
    if (running !== undefined) return running;
    const verdict = this.#handle(message, identity);
    if (verdict instanceof Promise) return key === null ? verdict : this.#whileRunning(key, verdict);
    if (verdict.is === "accepted") this.#handled.add(key);
    return verdict;
  }

  #whileRunning(key: Identity, handled: Promise<Verdict>): Promise<Verdict> {
    const name = nameOf(key);
    const running = handled.then((verdict) => {
      this.#running.delete(name);
      if (verdict.is === "accepted") this.#handled.add(key);
      return verdict;
    });
    this.#running.set(name, running);
    return running;
  }

  #handle(message: Message, identity: Identity | null): Verdict | Promise<Verdict> {
    try {
      const done = carrier().run(message, () => this.#work(message, identity, this.#context));
      return isPromiseLike(done) ? Promise.resolve(done).then(() => ACCEPTED, verdictOf) : ACCEPTED;
    } catch (error) {
      return verdictOf(error);
    }
  }
}

const nameOf = ({ producer, sequence }: Identity): string => `${producer}\n${sequence}`;

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";

type Verdict =
  | { readonly is: "accepted" }
  | { readonly is: "failed" }
  | { readonly is: "rejected"; readonly reason: string };

const ACCEPTED: Verdict = { is: "accepted" };

const verdictOf = (error: unknown): Verdict =>
  error instanceof Reject ? { is: "rejected", reason: error.message } : { is: "failed" };

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
