import type { Body } from "../core/body.ts";
import { withSessionOf } from "../core/carrier.ts";
import { derivedIdentity } from "../core/derived-identity.ts";
import { draft, type Message, type SendFields } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";
import { type Stall, Stalls } from "../core/stalls.ts";
import type { Hub } from "../links/hub.ts";
import { lastOffset } from "../links/last-offset.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { answerOf, type HandlerContext, type Listener, Listening, type Work } from "./listening.ts";
import { type Step, stage } from "./pipeline.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import type { LinkStatus, Status } from "./status.ts";
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
   * be out of reach: it gets it when it is there.
   */
  listen(at: string, handler: Handler, options?: { readonly concurrency?: number }): Promise<Listener>;
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
  readonly onStall: ((stall: Stall) => void) | null;
  readonly stallMs: number;
}

const CONCURRENCY = 10;
const CONCURRENCY_MAX = 10_000;
const DRAIN_MS_MAX = 5_000;
const LOOK_MS = 1_000;

/** A microserver on a hub and an outbox. */
export class RunningMicroserver implements Microserver {
  readonly #parts: MicroserverParts;
  readonly #requests: Requests;
  readonly #listening = new Set<Listening>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #stalls: Stalls;
  #closing: Promise<void> | null = null;
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

  async listen(at: string, handler: Handler, { concurrency = CONCURRENCY } = {}): Promise<Listener> {
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX) {
      const wanted = `wanted a whole number from 1 to ${CONCURRENCY_MAX}`;
      throw new MicroserverError("invalid_argument", `Cannot use ${concurrency} as concurrency: ${wanted}`);
    }
    return this.#begin(at, concurrency, async (message, _, context) => {
      const returned = await handler(message, context);
      if (message.replyTo !== null) await this.#answer(message, message.replyTo, answerOf(returned));
    });
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
    return this.#begin(from, CONCURRENCY, stage({ name, from, to: addresses, step, outbox, nowMs }));
  }

  async lastOffset(at: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number | null> {
    this.#requireOpen("look");
    return lastOffset(this.#parts.hub, at, signal);
  }

  get status(): Status {
    const { hub, outbox, router } = this.#parts;
    return {
      state: this.#closing !== null ? "closed" : hub.isConnected ? "connected" : "connecting",
      router,
      failure: hub.failure,
      links: [...this.#links()],
      outbox: { messages: outbox.messages, bytes: outbox.bytes },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(at: string, concurrency: number, work: Work): Promise<Listener> {
    this.#requireOpen("listen");
    const listening = new Listening(this.#parts.hub, at, { concurrency, work });
    listening.onClosed = () => this.#listening.delete(listening);
    this.#listening.add(listening);
    try {
      await listening.link.begin();
    } catch (error) {
      this.#listening.delete(listening);
      throw error;
    }
    return listening;
  }

  /** An answer that has nowhere to go any more is nobody's loss. */
  async #answer(question: Message, replyTo: string, body: Body): Promise<void> {
    const { hub, outbox } = this.#parts;
    const correlationId = question.correlationId ?? question.id;
    const fields = correlationId === null ? {} : { correlationId };
    const answer = draft(replyTo, body, fields, hub.deps.clock.nowMs());
    await outbox.send(replyTo, answer, { isRelayed: true }).catch((error: unknown) => {
      if (!(error instanceof MicroserverError) || error.code === "closed" || error.code === "limit") throw error;
    });
  }

  async #close(): Promise<void> {
    this.#stopLooking();
    const { hub, outbox } = this.#parts;
    for (const subscription of this.#subscriptions) subscription.end();
    const late = new AbortController();
    const drained = Promise.all([...this.#listening].map((one) => one.close())).then(() => outbox.drained());
    const bound = hub.deps.clock.sleep(DRAIN_MS_MAX, late.signal);
    await Promise.race([drained, bound]);
    late.abort();
    for (const listening of this.#listening) listening.abandon();
    this.#requests.close();
    await outbox.close();
    await hub.close();
  }

  *#links(): Generator<LinkStatus> {
    const { hub, outbox } = this.#parts;
    const nowMs = hub.deps.clock.monotonicMs();
    for (const link of outbox.links) {
      const { unsettled, oldestUnsettledMs: sinceMs } = link.lane;
      yield {
        ...link.watched(),
        ...pick(link),
        unsettled,
        oldestUnsettledMs: sinceMs === null ? null : nowMs - sinceMs,
      };
    }
    for (const { link, inHand } of this.#listening)
      yield { ...link.watched(), ...pick(link), unsettled: inHand, oldestUnsettledMs: null };
    for (const { link } of this.#subscriptions)
      yield { ...link.watched(), ...pick(link), unsettled: 0, oldestUnsettledMs: null };
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

const pick = ({ isAttached, credit }: { readonly isAttached: boolean; readonly credit: number }) => ({
  isAttached,
  credit,
});
