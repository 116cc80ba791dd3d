import type { StallReason } from "@datawire/protocol";
import type {
  AttachOptions,
  IncomingDelivery,
  LinkEnd,
  OutgoingDelivery,
  Receiver,
  Sender,
  Session,
} from "@datawire/amqp";
import type { Clock } from "@datawire/runtime";
import { readReason } from "../address/reasons.ts";
import type { FarConnection, FarEnd } from "./far-connection.ts";
import { endNear, type NearLink } from "./near.ts";

/** How long a client waits for the answer of its upstream before it has ours. */
const ANSWER_MS_MAX = 2_000;

/** What has passed an address at an upstream. */
export interface FarCounters {
  in: number;
  out: number;
}

/** What a link through the router works with. */
export interface ThroughDeps {
  readonly name: string;
  /** The address at the upstream. */
  readonly farAddress: string;
  readonly clock: Pick<Clock, "setTimer" | "nowMs">;
  readonly counters: FarCounters;
  /** Bytes of the largest message that the router takes. */
  readonly messageBytesMax: number;
  /** The connection to the upstream is of no use any more. */
  readonly restart: () => void;
  /** So many more bytes wait for the client, or fewer. */
  readonly held: (bytes: number) => void;
  /** The link is over. */
  readonly over: () => void;
}

/** A link of a client with its counterpart at an upstream, which is attached again whenever it is lost. */
export abstract class ThroughLink<Far extends Sender | Receiver> implements FarEnd {
  readonly name: string;
  /** Null while the upstream is away. */
  protected far: Far | null = null;
  protected connection: FarConnection | null = null;
  protected readonly deps: ThroughDeps;
  readonly #near: NearLink;
  #session: Session | null = null;
  #isOver = false;
  #cancelAnswer: (() => void) | null;

  constructor(near: NearLink, deps: ThroughDeps) {
    this.#near = near;
    this.deps = deps;
    this.name = deps.name;
    this.#cancelAnswer = deps.clock.setTimer(ANSWER_MS_MAX, () => this.unreachable());
  }

  /** Whether it has its counterpart. */
  get isThrough(): boolean {
    return this.far?.attached === true;
  }

  /** Whether the client has its answer. */
  protected get isAnswered(): boolean {
    return this.#near.state !== "asked";
  }

  /** Why nothing moves on it, as far as the upstream says: a router of ours does when it is asked, as it is for the next time. */
  get whyWaits(): StallReason | null {
    const { far } = this;
    if (far?.attached !== true) return "waits-for-upstream";
    far.ask();
    return readReason(far.told) ?? (far.isReceiver || far.credit > 0 ? null : "no-credit");
  }

  /** Asks the upstream for its counterpart. */
  attach(connection: FarConnection): void {
    if (this.#isOver) return;
    try {
      this.#session = connection.begin();
    } catch {
      const description = `Cannot attach: the upstream has no more than ${connection.connection.sessions.length} sessions for a connection`;
      const end = { closed: true, error: { condition: "amqp:resource-limit-exceeded", description } };
      this.ended(end);
      return this.#end(end);
    }
    this.connection = connection;
    this.far = this.ask(this.#session);
    this.far.context = this;
  }

  /** The upstream is unreachable now: the client's attach is answered, and the client waits without credit. */
  unreachable(): void {
    this.#cancelAnswer?.();
    this.#cancelAnswer = null;
    if (this.isAnswered || this.isThrough) return;
    this.#near.accept({ maxMessageSize: this.deps.messageBytesMax });
    this.waits();
  }

  farAttached(): void {
    this.#cancelAnswer?.();
    this.#cancelAnswer = null;
    this.#near.accept(this.answer());
    this.begun();
  }

  farDetached(end: LinkEnd, isLost: boolean): void {
    // An upstream that stops may end its sessions before its connections.
    const stops = end.error?.condition === "amqp:connection:forced";
    const isEnd = !this.#isOver && !isLost && !stops;
    if (isEnd) this.ended(end);
    this.lost();
    this.far = null;
    const session = this.#session;
    this.#session = null;
    this.connection = null;
    if (isEnd) {
      session?.end();
      this.#end(end);
    } else if (stops && !isLost) this.deps.restart();
  }

  /** The client has let go of its link. */
  detached(isClosed: boolean): void {
    this.#cancelAnswer?.();
    if (this.#isOver) return;
    this.#isOver = true;
    this.dropped();
    const session = this.#session;
    this.far?.detach({ closed: isClosed });
    this.far = null;
    // What is unsettled goes back with the session: some brokers keep it for that.
    session?.end();
    this.deps.over();
  }

  abstract farFlow(): void;
  abstract farOutcome(delivery: OutgoingDelivery): void;
  abstract farDelivered(delivery: IncomingDelivery): void;
  abstract farSettled(delivery: IncomingDelivery): void;
  abstract farSenderFlow(): void;

  protected abstract ask(session: Session): Far;
  /** What the client is answered, from what the upstream said. */
  protected abstract answer(): AttachOptions;
  /** The counterpart is there. */
  protected abstract begun(): void;
  /** The client has its answer, and there is no counterpart. */
  protected abstract waits(): void;
  /** The counterpart is gone; its deliveries are still listed. */
  protected abstract lost(): void;
  /** The client's end is gone. */
  protected abstract dropped(): void;

  #end(end: LinkEnd): void {
    this.#cancelAnswer?.();
    this.#isOver = true;
    endNear(this.#near, end);
    this.deps.over();
  }

  /** The upstream has ended the link, and the client is told right after. */
  protected ended(_end: LinkEnd): void {}
}
