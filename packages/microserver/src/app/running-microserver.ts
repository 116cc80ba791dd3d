import type { Body } from "../core/body.ts";
import { withSessionOf } from "../core/carrier.ts";
import { derivedIdentity } from "../core/derived-identity.ts";
import { answeredId, draft, type Message } from "../core/message.ts";
import { MicroserverError, requireGoing } from "../core/microserver-error.ts";
import { type Stall, Stalls } from "../core/stalls.ts";
import type { Hub } from "../links/hub.ts";
import { lastOffset } from "../links/last-offset.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { requireConcurrency, type Work } from "./inbox.ts";
import { answerOf, type Listener, Listening } from "./listening.ts";
import type { Handler, ListenOptions, Microserver, Receipt, SendOptions } from "./microserver.ts";
import { type Step, stage } from "./pipeline.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import type { AnswerHere, Serve, ServedPort, ServeOptions } from "./served-port.ts";
import { linkStatuses, type Status } from "./status.ts";
import { Subscription } from "./subscription.ts";

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

  send(to: string, body: Body, options: SendOptions = {}): Promise<Receipt> {
    // What is thrown here rejects the promise, and no other promise is made for a message.
    return new Promise((resolve, reject) => {
      this.#requireOpen("send");
      const { hub, outbox } = this.#parts;
      const { signal, once, id = null } = options;
      outbox.put(to, draft(to, body, withSessionOf(options), hub.deps.clock.nowMs()), {
        signal,
        identity: once === undefined ? undefined : derivedIdentity(["once", once]),
        done: (error) => (error === null ? resolve({ address: to, id }) : reject(error)),
      });
    });
  }

  async request(to: string, body: Body, options: RequestOptions = {}): Promise<Message> {
    this.#requireOpen("ask");
    return this.#requests.ask(to, body, options);
  }

  async listen(at: string, handler: Handler, options: ListenOptions = {}): Promise<Listener> {
    return this.#begin(at, options, this.#handling(handler));
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

  async pipeline(
    from: string,
    to: string | readonly string[],
    step: Step,
    options: ListenOptions = {},
  ): Promise<Listener> {
    const { hub, outbox, name } = this.#parts;
    const addresses = typeof to === "string" ? [to] : to;
    const nowMs = (): number => hub.deps.clock.nowMs();
    return this.#begin(from, options, stage({ name, from, to: addresses, step, outbox, nowMs }));
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
    const { signal } = options;
    requireGoing(`serve ${at}`, signal);
    const port = await serve(at, work, options, { container, newId: () => hub.deps.chance.id() });
    const stop = (): void => void port.close();
    port.onClosed = () => {
      signal?.removeEventListener("abort", stop);
      this.#ports.delete(port);
    };
    this.#ports.add(port);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) await port.close();
    requireGoing(`serve ${at}`, signal);
    return port;
  }

  get status(): Status {
    const { hub, outbox, router } = this.#parts;
    // What the router says of it is in the next one.
    for (const link of outbox.links) link.inquire();
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

  async #begin(at: string, { concurrency = CONCURRENCY, signal }: ListenOptions, work: Work): Promise<Listener> {
    this.#requireOpen("listen");
    requireConcurrency(concurrency);
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
    return (message, _, context) => {
      const returned = handler(message, context);
      const { replyTo } = message;
      if (replyTo === null) return returned;
      return Promise.resolve(returned).then((body) => this.#answer(message, replyTo, answerOf(body), answerHere));
    };
  }

  /** An answer that has nowhere to go any more is nobody's loss. */
  async #answer(question: Message, replyTo: string, body: Body, answerHere?: AnswerHere): Promise<void> {
    const { hub, outbox } = this.#parts;
    const correlationId = answeredId(question);
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
    const members = [...hub.members()];
    const links = members.map((member) => [member, member.watched()] as const);
    for (const member of members) member.inquire();
    for (const stall of this.#stalls.look(links, clock.monotonicMs())) onStall(stall);
    this.#stopLooking = clock.setTimer(LOOK_MS, () => this.#look(onStall));
  }

  #requireOpen(what: string): void {
    if (this.#closing !== null) throw new MicroserverError("closed", `Cannot ${what}: the microserver is closed`);
  }
}
