import type { AmqpError } from "../frames/error.ts";
import type { Fields } from "../frames/fields.ts";
import type { Flow } from "../frames/flow.ts";
import type { Attach } from "../frames/performatives.ts";
import type { Budget } from "./budget.ts";
import type { Output } from "./output.ts";
import type { Settlements } from "./settlements.ts";
import type { Unsettled } from "./unsettled.ts";
import type { SessionWindows } from "./windows.ts";

/**
 * Where a link is: `asked` for by the peer and not answered, `asking` the peer, attached, `detaching` (ours is sent), or
 * detached.
 */
export type LinkState = "asked" | "asking" | "attached" | "detaching" | "detached";

/** What one side says of a link beside its name and its handle. */
export type AttachOptions = Omit<Attach, "name" | "handle" | "role">;

/** How a link ends. */
export interface LinkEnd {
  /** True: the link is over. False: its terminus may be taken up again. */
  readonly closed: boolean;
  readonly error: AmqpError | null;
}

/** What links ask of their session. */
export interface LinkHost {
  readonly output: Output;
  readonly channel: number;
  readonly windows: SessionWindows;
  /** Of what we sent, and of what we received. */
  readonly sent: Unsettled;
  readonly received: Unsettled;
  /** For messages of which not all frames have come, on all links of the connection. */
  readonly partials: Budget;
  readonly sentSettlements: Settlements;
  readonly receivedSettlements: Settlements;
  /** Has the session flushed before the next write. */
  changed(): void;
  /** Has the flow of a link written before the next write. */
  flowChanged(link: Link): void;
  /** Has `reopened` of a link called once transfers may be written again. */
  awaitOpening(link: Link): void;
  /** The id for the next delivery of the session. */
  takeDeliveryId(): number;
  sendAttach(link: Link, attach: Attach): void;
  sendDetach(link: Link, end: LinkEnd): void;
}

/** One end of a link: what senders and receivers have in common. */
export abstract class Link {
  readonly name: string;
  /** Ours; the peer has another for the same link. */
  readonly handle: number;
  /** Whether messages come to us. */
  abstract readonly isReceiver: boolean;
  state: LinkState;
  /** What the peer said; null until it has. */
  remote: Attach | null = null;
  /** What we said; null until we have. */
  local: Attach | null = null;
  /** For whoever uses the link: what belongs to it. */
  context: unknown = null;
  /** For the session: whether a flow is to be written, and whether `reopened` is awaited. */
  flowQueued = false;
  openingAwaited = false;
  /** What the peer's last flow said beside numbers; null for nothing. A peer that does is asked by `ask`. */
  told: Fields | null = null;
  /** Whether the next flow asks the peer, and whether it answers. */
  #isAsking = false;
  #isAnswering = false;
  protected readonly host: LinkHost;

  constructor(host: LinkHost, name: string, handle: number, state: LinkState) {
    this.host = host;
    this.name = name;
    this.handle = handle;
    this.state = state;
  }

  /** Whether messages may pass. */
  get attached(): boolean {
    return this.state === "attached";
  }

  /**
   * Whether the peer answered without its terminus, which is how a link is refused. Some peers leave it out and mean
   * nothing by it, so only their detach is the end of the link.
   */
  get refused(): boolean {
    return this.remote !== null && (this.isReceiver ? this.remote.source : this.remote.target) === undefined;
  }

  /**
   * Answers a peer that asked for this link. What is left out is as the peer wanted it: source, target, settle modes. Does
   * nothing where the peer has let go of the link in the meantime.
   */
  accept(options: AttachOptions = {}): void {
    const { remote } = this;
    if (this.state !== "asked" || remote === null) return;
    this.state = "attached";
    const { source, target, sndSettleMode, rcvSettleMode } = remote;
    const asWanted: AttachOptions = {
      ...(source !== undefined && { source }),
      ...(target !== undefined && { target }),
      ...(sndSettleMode !== undefined && { sndSettleMode }),
      ...(rcvSettleMode !== undefined && { rcvSettleMode }),
    };
    this.say({ ...asWanted, ...options });
    this.begun();
  }

  /** Answers a peer that asked for this link with why it does not get it: an attach without source and target, and a detach. */
  refuse(error: AmqpError): void {
    if (this.state !== "asked") return;
    // Some clients take an attach for a refusal only where it has neither terminus.
    this.say({});
    this.state = "attached";
    this.detach({ error });
  }

  /** Ends the link. Default: closed, without an error. What is unsettled is listed by `unsettled` until `detached` was called. */
  detach(end: { readonly closed?: boolean; readonly error?: AmqpError } = {}): void {
    if (this.state === "asked") this.say({});
    else if (this.state !== "attached" && this.state !== "asking") return;
    this.host.sendDetach(this, { closed: end.closed ?? true, error: end.error ?? null });
  }

  /** Asks the peer how the link stands, which it says with a flow: its credit, and what it has `told` beside. */
  ask(): void {
    if (!this.attached) return;
    this.#isAsking = true;
    this.host.flowChanged(this);
  }

  /** Takes in what every flow may say. */
  protected heardMore({ echo, properties }: Flow): void {
    this.told = properties;
    if (!echo) return;
    this.#isAnswering = true;
    this.host.flowChanged(this);
  }

  /**
   * For the session: puts into a flow of ours what every one may say.
   * @param describe what a peer is told that asks how the link stands; null for nothing but numbers.
   */
  sayMore(flow: Flow, describe: (link: Link) => Fields | null): void {
    flow.echo = this.#isAsking;
    flow.properties = this.#isAnswering ? describe(this) : null;
    this.#isAsking = false;
    this.#isAnswering = false;
  }

  /** Attaches from our side. */
  say(options: AttachOptions): void {
    this.local = { ...this.initial(), ...options, name: this.name, handle: this.handle, role: this.isReceiver };
    this.host.sendAttach(this, this.local);
  }

  /** For the session: takes in the answer of the peer. */
  answered(remote: Attach): void {
    this.remote = remote;
    this.state = "attached";
    this.begun();
  }

  /** For the session: what is to be in the attach anyway. */
  protected abstract initial(): AttachOptions;
  /** Both sides have attached. */
  protected abstract begun(): void;
  /** For the session: takes in a flow of the peer. */
  abstract heard(flow: Flow): void;
  /** For the session: puts the link's state into a flow of ours. */
  abstract tell(flow: Flow): void;
  /** For the session: transfers may be written again. */
  abstract reopened(): void;
  /** For the session: forgets all deliveries. */
  abstract clear(): void;
}
