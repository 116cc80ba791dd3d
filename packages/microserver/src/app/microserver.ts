import type { Body } from "../core/body.ts";
import { withSessionOf } from "../core/carrier.ts";
import { derivedIdentity } from "../core/derived-identity.ts";
import { draft, type Message, type SendFields } from "../core/message.ts";
import { MicroserverError, requireGoing } from "../core/microserver-error.ts";
import { type Stall, Stalls } from "../core/stalls.ts";
import type { Hub } from "../links/hub.ts";
import { lastOffset } from "../links/last-offset.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { type HandlerContext, requireConcurrency, type Work } from "./desk.ts";
import { answerOf, type Listener, Listening } from "./listening.ts";
import { type Step, stage } from "./pipeline.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import type { AnswerHere, Serve, ServedPort, ServeOptions } from "./served-port.ts";
import { linkStatuses, type Status } from "./status.ts";
import { Subscription } from "./subscription.ts";

/** What became of a message: it is accepted. */
export interface Receipt {
  readonly address: string;
  /** What the message was called; null where it was given no name. */
  readonly id: string | null;
}

/** What may be said of a message beside its body. */
export interface SendOptions extends SendFields {
  /**
   * What makes it the same message whoever sends it again, such as the key of a request: the address accepts the first
   * within 24 hours, of its last 10,000, and drops all others.
   */
  readonly once?: string;
  /** Ends the wait. What was on its way by then may arrive all the same. */
  readonly signal?: AbortSignal;
}

/** Handles a message: what it returns answers `replyTo`. */
export type Handler = (message: Message, context: HandlerContext) => unknown;

/** A process that sends and receives messages by name. */
export interface Microserver extends AsyncDisposable {
  /** Sends a message; resolves when the router has accepted it, however long that takes. It arrives once. */
  send(to: string, body: Body, options?: SendOptions): Promise<Receipt>;
  /** Sends a message and resolves with the answer. Where the router loses the place for answers, it is asked again. */
  request(to: string, body: Body, options?: RequestOptions): Promise<Message>;
  /**
   * Handles what comes at an address, so many at a time (default 10). What the handler returns answers `replyTo`; where it
   * throws, the message comes again, and with `Reject` it does not. Resolves when the router has the link, or is found to
   * be out of reach: it gets it when it is there. `signal` closes the listener.
   */
  listen(
    at: string,
    handler: Handler,
    options?: { readonly concurrency?: number; readonly signal?: AbortSignal },
  ): Promise<Listener>;
  /**
   * What comes at an address, one after the other; accepted when the loop asks for the next. `from`: where in a topic to
   * begin (`first`, `last`, an offset, `-N` or a time). With a `name` the router keeps the place between loops.
   */
  subscribe(
    at: string,
    options?: { readonly from?: string | number; readonly name?: string; readonly signal?: AbortSignal },
  ): AsyncIterable<Message>;
  /**
   * Makes messages of messages: an input is accepted when every output is. Outputs go to all of `to`, or to that of them
   * which they name. Whatever is killed meanwhile, each output arrives once, where the input has an identity.
   */
  pipeline(from: string, to: string | readonly string[], step: Step): Promise<Listener>;
  /** The offset of the last message that a topic has now, to know when a loop has come to it; null where it has none. */
  lastOffset(at: string, options?: { readonly signal?: AbortSignal }): Promise<number | null>;
  /**
   * Handles what comes to a service over links to a port of its own, so that no router is in the way: `listen` otherwise. The
   * directory knows it while it is open; with `isRegistered: false` a Watson tells of it.
   */
  serve(at: string, handler: Handler, options?: ServeOptions): Promise<Listener>;
  readonly status: Status;
  /** Takes no more messages, waits up to 5 s until all is handled and sent, and lets go of the router. */
  close(): Promise<void>;
}

/** What a microserver is made of. */
export interface MicroserverParts {
  readonly hub: Hub;
  readonly outbox: Outbox;
  /** Null where it has none. */
  readonly name: string | null;
  readonly router: string;
  /** How ports are opened; null where there are none, as in a page. */
  readonly serve: Serve | null;
  readonly container: string;
  readonly onStall: ((stall: Stall) => void) | null;
  readonly stallMs: number;
}

const CONCURRENCY = 10;
const DRAIN_MS_MAX = 5_000;
const LOOK_MS = 1_000;

/** A microserver on a hub and an outbox. */
export class RunningMicroserver implements Microserver {
  readonly #parts: MicroserverParts;
  readonly #requests: Requests;
  readonly #listening = new Set<Listening>();
  readonly #ports = new Set<ServedPort>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #stalls: Stalls;
  #closing: Promise<void> | null = null;
  /** Aborts when nothing is waited for any more. */
  readonly #noLonger = new AbortController();
  #stopLooking: () => void = () => {};

  constructor(parts: MicroserverParts) {
    this.#parts = parts;
    this.#requests = new Requests(parts.hub, parts.outbox);
    this.#stalls = new Stalls(parts.stallMs);
    if (parts.onStall !== null) this.#look(parts.onStall);
  }

  async send(to: string, body: Body, { signal, once, ...fields }: SendOptions = {}): Promise<Receipt> {
    this.#requireOpen("send");
    const { hub, outbox } = this.#parts;
    await outbox.send(to, draft(to, body, withSessionOf(fields), hub.deps.clock.nowMs()), {
      signal,
      ...(once !== undefined && { identity: derivedIdentity(["once", once]) }),
    });
    return { address: to, id: fields.id ?? null };
  }

  async request(to: string, body: Body, options: RequestOptions = {}): Promise<Message> {
    this.#requireOpen("ask");
    return this.#requests.ask(to, body, options);
  }

  async listen(
    at: string,
    handler: Handler,
    { concurrency = CONCURRENCY, signal }: { readonly concurrency?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Listener> {
    requireConcurrency(concurrency);
    return this.#begin(at, { concurrency, signal }, this.#handling(handler));
  }

  subscribe(
    at: string,
    {
      from,
      name,
      signal,
    }: { readonly from?: string | number; readonly name?: string; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<Message> {
    this.#requireOpen("subscribe");
    if (name !== undefined && this.#parts.name === null) {
      throw new MicroserverError(
        "invalid_argument",
        `Cannot keep the subscription ${name}: it is found again by the name of the microserver, which has none`,
      );
    }
    const { hub } = this.#parts;
    const options = { address: at, from: from === undefined ? null : String(from), name: name ?? null, signal };
    const subscriptions = this.#subscriptions;
    return {
      async *[Symbol.asyncIterator]() {
        const subscription = new Subscription(hub, options);
        subscriptions.add(subscription);
        try {
          yield* subscription.messages();
        } finally {
          subscriptions.delete(subscription);
        }
      },
    };
  }

  async pipeline(from: string, to: string | readonly string[], step: Step): Promise<Listener> {
    const { hub, outbox, name } = this.#parts;
    const addresses = typeof to === "string" ? [to] : to;
    const nowMs = (): number => hub.deps.clock.nowMs();
    return this.#begin(from, { concurrency: CONCURRENCY }, stage({ name, from, to: addresses, step, outbox, nowMs }));
  }

  async lastOffset(at: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number | null> {
    this.#requireOpen("look");
    return lastOffset(this.#parts.hub, at, signal);
  }

  async serve(at: string, handler: Handler, options: ServeOptions = {}): Promise<Listener> {
    this.#requireOpen("serve");
    const { serve, container, hub } = this.#parts;
    if (serve === null) throw new MicroserverError("invalid_argument", `Cannot serve ${at}: a page has no ports`);
    requireConcurrency(options.concurrency ?? CONCURRENCY);
    const work = (answer: AnswerHere): Work => this.#handling(handler, answer);
    const port = await serve(at, work, options, { container, newId: () => hub.deps.chance.id() });
    port.onClosed = () => this.#ports.delete(port);
    this.#ports.add(port);
    return port;
  }

  get status(): Status {
    const { hub, outbox, router } = this.#parts;
    return {
      state: this.#closing !== null ? "closed" : hub.isConnected ? "connected" : "connecting",
      router,
      failure: hub.failure,
      links: [
        ...linkStatuses(
          { outbox, listening: this.#listening, subscriptions: this.#subscriptions },
          hub.deps.clock.monotonicMs(),
        ),
      ],
      outbox: { messages: outbox.messages, bytes: outbox.bytes },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes at once: what is not handled or sent by now is not waited for. */
  end(): Promise<void> {
    this.#noLonger.abort();
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(
    at: string,
    { concurrency, signal }: { readonly concurrency: number; readonly signal?: AbortSignal | undefined },
    work: Work,
  ): Promise<Listener> {
    this.#requireOpen("listen");
    requireGoing(`listen at ${at}`, signal);
    const listening = new Listening(this.#parts.hub, at, { concurrency, work });
    const stop = (): void => void listening.close();
    signal?.addEventListener("abort", stop, { once: true });
    listening.onClosed = () => {
      signal?.removeEventListener("abort", stop);
      this.#listening.delete(listening);
    };
    this.#listening.add(listening);
    try {
      await listening.link.begin();
    } catch (error) {
      listening.onClosed();
      throw error;
    }
    requireGoing(`listen at ${at}`, signal);
    return listening;
  }

  /** Work that answers what is asked. */
  #handling(handler: Handler, answerHere?: AnswerHere): Work {
    return async (message, _, context) => {
      const returned = await handler(message, context);
      if (message.replyTo !== null) await this.#answer(message, message.replyTo, answerOf(returned), answerHere);
    };
  }

  /** An answer that has nowhere to go any more is nobody's loss. */
  async #answer(question: Message, replyTo: string, body: Body, answerHere?: AnswerHere): Promise<void> {
    const { hub, outbox } = this.#parts;
    const correlationId = question.correlationId ?? question.id;
    const fields = correlationId === null ? {} : { correlationId };
    const answer = draft(replyTo, body, fields, hub.deps.clock.nowMs());
    if (answerHere?.(replyTo, answer, outbox.nextIdentity()) === true) return;
    await outbox.send(replyTo, answer, { isRelayed: true }).catch((error: unknown) => {
      if (!(error instanceof MicroserverError) || error.code === "closed" || error.code === "limit") throw error;
    });
  }

  async #close(): Promise<void> {
    this.#stopLooking();
    const { hub, outbox } = this.#parts;
    for (const subscription of this.#subscriptions) subscription.end();
    const all = [...this.#listening, ...this.#ports];
    const drained = Promise.all(all.map((one) => one.close())).then(() => outbox.drained());
    const bound = hub.deps.clock.sleep(DRAIN_MS_MAX, this.#noLonger.signal);
    await Promise.race([drained, bound]);
    this.#noLonger.abort();
    for (const one of [...this.#listening, ...this.#ports]) one.abandon();
    this.#requests.close();
    await outbox.close();
    await hub.close();
  }

  #look(onStall: (stall: Stall) => void): void {
    const { hub } = this.#parts;
    const { clock } = hub.deps;
    const links = [...hub.members].map((member) => [member, member.watched()] as const);
    for (const stall of this.#stalls.look(links, clock.monotonicMs())) onStall(stall);
    this.#stopLooking = clock.setTimer(LOOK_MS, () => this.#look(onStall));
  }

  #requireOpen(what: string): void {
    if (this.#closing !== null) throw new MicroserverError("closed", `Cannot ${what}: the microserver is closed`);
  }
}
