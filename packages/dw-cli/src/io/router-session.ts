import type { Socket } from "node:net";
import {
  type Connection,
  type ConnectionSettings,
  decodeMessage,
  encodeMessage,
  type IncomingDelivery,
  type Message,
  type OutgoingDelivery,
  type Receiver,
  type Sender,
  textOf,
  WireFailure,
  QUIET_EVENTS,
  CONDITION,
} from "@datawire/amqp";
import {
  driveSocket,
  type Login,
  type RouterUrl,
  tellingOfLogin,
  type Wire,
  type WireEvents,
} from "@datawire/microserver/transport";
import { outcomeOf, type SendOutcome } from "../core/message-view.ts";
import { openRouterSocket } from "./router-socket.ts";
import { loginOf, saslOf, shownUrl } from "./router-sasl.ts";
import { ExitError, explainSystemError, exitCodes } from "@datawire/runtime";

/** What a link tells whoever opened it. */
interface LinkHandler {
  flow?(): void;
  outcome?(delivery: OutgoingDelivery): void;
  delivered?(delivery: IncomingDelivery): void;
  attached(): void;
  ended(error: Error): void;
}

/** A link to receive on. */
export interface Listening {
  /** Lets so many more messages come. */
  allow(credit: number): void;
  /** Rejects when the link ends by itself. */
  readonly ended: Promise<never>;
  detach(closed: boolean): void;
}

/** How to receive. */
export interface ListenOptions {
  readonly source: NonNullable<Parameters<Receiver["accept"]>[0]>["source"];
  readonly name: string;
  onMessage(delivery: IncomingDelivery, message: Message): void;
}

/** How to connect. */
export interface RouterOptions {
  /** What `dw` calls itself: subscriptions that are kept are found again by it. */
  readonly container: string;
  /** Says who we are where the address does not; null for none. */
  readonly token: string | null;
  /** Authorities to trust instead of the system's, PEM; null for those. */
  readonly ca: string | null;
}

/** What a question to the router itself is about. */
export interface ManageAbout {
  readonly address?: string;
  readonly to?: string;
  /** What is to hold for an address, by the keys of router.yaml. */
  readonly settings?: ReadonlyMap<string, string>;
}

const OPEN_MS_MAX = 10_000;

/** A connection of `dw` to a router, or to any broker that speaks AMQP 1.0. */
export class RouterSession {
  readonly #wire: Wire;
  readonly #lost: Promise<never>;
  #fail: (error: Error) => void = () => {};
  #links = 0;

  private constructor(
    socket: Socket,
    settings: ConnectionSettings,
    { login, opened }: { readonly login: Login; readonly opened: () => void },
  ) {
    this.#lost = new Promise<never>((_, reject) => (this.#fail = reject));
    this.#lost.catch(() => {}); // whoever waits for something hears of it
    const handler = (link: Sender | Receiver): LinkHandler | null => link.context as LinkHandler | null;
    let isOpen = false;
    const events: WireEvents = {
      ...QUIET_EVENTS,
      opened() {
        isOpen = true;
        opened();
      },
      linkAsked: (link) => link.refuse({ condition: "amqp:not-allowed" }),
      linkAttached: (link) => handler(link)?.attached(),
      linkDetached(link, { error }) {
        const why =
          error?.description ?? error?.condition ?? "The router has ended the link, or is gone: it gave no reason";
        handler(link)?.ended(refusal(error?.condition, why));
      },
      flow: (sender) => handler(sender)?.flow?.(),
      outcome: (delivery) => handler(delivery.sender)?.outcome?.(delivery),
      delivered: (delivery) => handler(delivery.receiver)?.delivered?.(delivery),
      closed: ({ error }) => {
        const why = error?.description ?? error?.condition ?? "without a word";
        const isLogin = !isOpen && error?.condition === CONDITION.unauthorizedAccess;
        this.#fail(refusal(error?.condition, isLogin ? why : `The router ended the connection: ${why}`));
      },
    };
    this.#wire = driveSocket(socket, settings, tellingOfLogin(events, login));
  }

  get #connection(): Connection {
    return this.#wire.connection;
  }

  /**
   * Connects.
   * @throws ExitError 69 where nothing answers, 77 where it does not let us in.
   */
  static async open(url: RouterUrl, { container, token, ca }: RouterOptions): Promise<RouterSession> {
    const shown = shownUrl(url);
    const unreachable = (why: string): ExitError =>
      new ExitError(exitCodes.unreachable, `Cannot reach a router at ${shown}: ${why}`);
    const settings: ConnectionSettings = {
      role: "client",
      open: { containerId: container, hostname: url.host },
      saslClients: saslOf(url, token),
    };
    const socket = await openRouterSocket(url, { token, ca }).catch((error: unknown) => {
      throw unreachable(explainSystemError(error));
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(new Error("it does not answer")), OPEN_MS_MAX);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error instanceof ExitError ? error : unreachable(error.message));
      };
      const opened = (): void => {
        clearTimeout(timer);
        resolve(session);
      };
      const session: RouterSession = new RouterSession(socket, settings, { login: loginOf(url, token), opened });
      session.#lost.catch(fail);
    });
  }

  /** Rejects when the connection is lost. */
  get lost(): Promise<never> {
    return this.#lost;
  }

  /** Opens a link to an address. The function sends one message, as soon as there is credit, and resolves with its outcome. */
  async sender(address: string, { presettled = false } = {}): Promise<(message: Message) => Promise<SendOutcome>> {
    const waiting: { message: Message; done: (outcome: SendOutcome) => void; fail: (error: Error) => void }[] = [];
    const sent = new Map<OutgoingDelivery, (typeof waiting)[number]>();
    let failed: Error | null = null;
    const pump = (): void => {
      while (waiting.length > 0 && link.canSend()) {
        const next = waiting.shift() as (typeof waiting)[number];
        const delivery = link.send(encodeMessage(next.message), { settled: presettled });
        if (delivery === null || delivery.settled) next.done({ state: "accepted", reason: null });
        else sent.set(delivery, next);
      }
    };
    const link = this.#connection.begin().attachSender(`dw-${process.pid}-${this.#links++}`, { target: { address } });
    await this.#attach(link, {
      flow: pump,
      outcome(delivery) {
        const one = sent.get(delivery);
        if (one === undefined || delivery.state === null) return;
        sent.delete(delivery);
        if (!delivery.settled) delivery.settle();
        one.done(outcomeOf(delivery));
      },
      ended(error) {
        failed = error;
        for (const { fail } of [...waiting.splice(0), ...sent.values()]) fail(error);
      },
    });
    return (message) => {
      const outcome = new Promise<SendOutcome>((done, fail) => {
        if (failed !== null) return fail(failed);
        waiting.push({ message, done, fail });
        pump();
      });
      return Promise.race([outcome, this.#lost]);
    };
  }

  /** Opens a link from an address; nothing comes before it is allowed. */
  async listen({ source, name, onMessage }: ListenOptions): Promise<Listening & { readonly address: string }> {
    let fail: (error: Error) => void = () => {};
    const ended = Promise.race([new Promise<never>((_, reject) => (fail = reject)), this.#lost]);
    ended.catch(() => {}); // whoever waits for messages hears of it
    const link = this.#connection.begin().attachReceiver(name, source === undefined ? {} : { source });
    await this.#attach(link, {
      delivered(delivery) {
        // What is in it lies in the buffer of the socket, which is used again.
        const message = decodeMessage(Uint8Array.from(delivery.message));
        if (message instanceof WireFailure) delivery.reject({ condition: message.condition });
        else onMessage(delivery, message);
      },
      ended: (error) => fail(error),
    });
    return {
      address: link.remote?.source?.address ?? "",
      allow: (credit) => link.setCredit(credit),
      ended,
      detach: (closed) => link.detach({ closed }),
    };
  }

  /**
   * Sends a message, and resolves with the answer to it.
   * @throws Error where it is not accepted.
   */
  async request(address: string, message: Message): Promise<Message> {
    let answered: (message: Message) => void = () => {};
    const answer = new Promise<Message>((resolve) => (answered = resolve));
    const answers = await this.listen({
      source: { dynamic: true },
      name: `dw-answers-${process.pid}-${this.#links++}`,
      onMessage(delivery, got) {
        delivery.accept();
        answered(got);
      },
    });
    answers.allow(1);
    const send = await this.sender(address);
    const properties = { ...message.properties, replyTo: answers.address };
    const { state, reason } = await send({ ...message, properties });
    if (state !== "accepted")
      throw new Error(`Cannot ask ${address}: the question was ${state}${reason === null ? "" : ` (${reason})`}`);
    return Promise.race([answer, answers.ended]);
  }

  /**
   * Asks the router itself.
   * @throws ExitError with what it says against it.
   */
  async manage(operation: string, { settings, ...about }: ManageAbout = {}): Promise<unknown> {
    const asked = new Map(Object.entries({ operation, ...about }));
    for (const [key, value] of settings ?? []) asked.set(`setting:${key}`, value);
    const { applicationProperties: status, body } = await this.request("$management", {
      applicationProperties: asked,
      body: { type: "value", value: null },
    });
    const description = textOf(status?.get("statusDescription"));
    if (description !== null) {
      const isMisuse = textOf(status?.get("statusCondition")) === "amqp:invalid-field";
      throw new ExitError(isMisuse ? exitCodes.misused : exitCodes.failed, description);
    }
    return JSON.parse(body?.type === "value" ? (textOf(body.value) ?? "null") : "null") as unknown;
  }

  /** Ends the connection, after what is still to be written. */
  async close(): Promise<void> {
    this.#connection.close();
    const timer = setTimeout(() => this.#wire.destroy(), 1_000);
    await this.#wire.closed;
    clearTimeout(timer);
  }

  async #attach(link: Sender | Receiver, handler: Omit<LinkHandler, "attached">): Promise<void> {
    const attached = new Promise<void>((resolve, reject) => {
      const whole: LinkHandler = {
        ...handler,
        // What refuses a link is an attach with nothing in it, and a detach right behind.
        attached: () => void setImmediate(() => setImmediate(resolve)),
        ended(error) {
          reject(error);
          handler.ended(error);
        },
      };
      link.context = whole;
    });
    await Promise.race([attached, this.#lost]);
  }
}

function refusal(condition: string | undefined, why: string): Error {
  return condition === "amqp:unauthorized-access" ? new ExitError(exitCodes.notAllowed, why) : new Error(why);
}
