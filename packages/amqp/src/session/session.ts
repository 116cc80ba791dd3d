import { DESCRIPTOR } from "../frames/descriptors.ts";
import { Disposition } from "../frames/disposition.ts";
import type { AmqpError } from "../frames/error.ts";
import { Flow } from "../frames/flow.ts";
import { type Attach, type Begin, readAttach, readDetach } from "../frames/performatives.ts";
import { Transfer } from "../frames/transfer.ts";
import type { AttachOptions, Link, LinkEnd } from "../link/link.ts";
import type { Budget } from "../link/budget.ts";
import type { Output } from "../link/output.ts";
import type { Receiver } from "../link/receiver.ts";
import type { Sender } from "../link/sender.ts";
import { Settlements } from "../link/settlements.ts";
import { Unsettled } from "../link/unsettled.ts";
import { SessionWindows } from "../link/windows.ts";
import { CONDITION, LinkFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { DeliveryIds } from "./delivery-ids.ts";
import { FlowQueue } from "./flow-queue.ts";
import type { LinkEvents } from "./link-events.ts";
import { OpeningQueue } from "./opening-queue.ts";
import { SessionFrames } from "./session-frames.ts";
import { type LinksHost, SessionLinks } from "./session-links.ts";

/** What a session asks of its connection. */
export interface SessionHost {
  readonly output: Output;
  readonly events: LinkEvents;
  /** Frames that a session takes before it tells the peer of more. */
  readonly incomingWindow: number;
  /** The highest handle that a peer may use in a session. */
  readonly handleMax: number;
  /** For messages of which not all frames have come. */
  readonly partials: Budget;
  /**
   * Takes in a link that attaches, and detaches the one that had its name and direction until now. Throws `WireFailure`
   * when there are too many.
   */
  linkCame(link: Link): void;
  linkWent(link: Link): void;
  sessionEnded(session: Session, error: AmqpError | null): void;
}

/** Where a session is: `beginning` from our side, mapped, `ending` (ours is sent), or ended. */
export type SessionState = "beginning" | "mapped" | "ending" | "ended";

const transfer = new Transfer();
const disposition = new Disposition();
const flow = new Flow();

/** One session of a connection. */
export class Session implements LinksHost {
  /** Ours. */
  readonly channel: number;
  /** The peer's; `ABSENT` (-1) until it is known. */
  remoteChannel = ABSENT;
  state: SessionState = "beginning";
  /** What the peer said; null until it has. */
  remote: Begin | null = null;
  /** For whoever uses the session: what belongs to it. */
  context: unknown = null;
  readonly output: Output;
  readonly windows: SessionWindows;
  readonly partials: Budget;
  readonly sent = new Unsettled();
  readonly received = new Unsettled();
  readonly sentSettlements: Settlements;
  readonly receivedSettlements: Settlements;
  readonly #host: SessionHost;
  readonly frames: SessionFrames;
  readonly #links: SessionLinks;
  readonly #flows: FlowQueue;
  readonly #openings = new OpeningQueue();
  #queued = false;
  #endWanted: { readonly error: AmqpError | null } | null = null;
  readonly #ids = new DeliveryIds();

  constructor(host: SessionHost, channel: number) {
    this.#host = host;
    this.output = host.output;
    this.channel = channel;
    this.partials = host.partials;
    this.windows = new SessionWindows(host.incomingWindow);
    this.sentSettlements = new Settlements(host.output, channel, false);
    this.receivedSettlements = new Settlements(host.output, channel, true);
    this.frames = new SessionFrames(host.output, channel);
    this.#flows = new FlowQueue(this.frames, this.windows, (link) => this.events.linkAsks?.(link) ?? null);
    this.#links = new SessionLinks(this, host.handleMax);
  }

  /** All links whose handles are in use. */
  get links(): readonly (Sender | Receiver)[] {
    return this.#links.all;
  }

  get events(): LinkEvents {
    return this.#host.events;
  }

  get mapped(): boolean {
    return this.state === "mapped";
  }

  get beginning(): boolean {
    return this.state === "beginning";
  }

  get theirHandleMax(): number {
    return this.remote?.handleMax ?? Infinity;
  }

  /** Asks for a link on which we send; `linkAttached` or `linkDetached` follows. Throws where there are too many links. */
  attachSender(name: string, options: AttachOptions): Sender {
    return this.#links.askSender(name, options);
  }

  /** Asks for a link on which we receive, likewise. Credit may be given at once. */
  attachReceiver(name: string, options: AttachOptions): Receiver {
    return this.#links.askReceiver(name, options);
  }

  /** Ends the session and all its links. */
  end(error: AmqpError | null = null): void {
    this.#endWanted = { error };
    if (this.state === "beginning") return this.#clear(error);
    if (this.state !== "mapped") return;
    this.settle();
    this.state = "ending";
    this.frames.end(error);
    this.#clear(error);
  }

  /** For the connection: says that the session begins, with the channel of the begin that this answers. */
  begin(remoteChannel: number): void {
    this.frames.begin({
      ...(remoteChannel !== ABSENT && { remoteChannel }),
      nextOutgoingId: this.windows.nextOutgoingId,
      incomingWindow: this.windows.incomingWindow,
      outgoingWindow: this.windows.outgoingWindow,
      handleMax: this.#host.handleMax,
    });
  }

  /** For the connection: takes in the begin of the peer. */
  begun(remoteChannel: number, begin: Begin): void {
    this.remoteChannel = remoteChannel;
    this.remote = begin;
    this.state = "mapped";
    this.windows.begun(begin.nextOutgoingId, begin.incomingWindow);
    if (this.#endWanted !== null) return this.end(this.#endWanted.error);
    this.#links.begun();
  }

  /** For the connection: takes in the end of the peer. */
  endHeard(error: AmqpError | null): void {
    const answered = this.state === "ending";
    this.state = "ended";
    this.#clear(error);
    if (!answered) this.frames.end(null);
    this.#host.sessionEnded(this, error);
  }

  /** For the connection: the session is lost with it. */
  lost(error: AmqpError | null): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.#clear(error);
    this.#host.sessionEnded(this, error);
  }

  /** For the connection: takes in a frame. Failures of the session end it; those of the connection are thrown. */
  frame(code: number, reader: Reader, end: number): void {
    if (this.state !== "mapped") return;
    try {
      switch (code) {
        case DESCRIPTOR.transfer:
          transfer.read(reader);
          return this.#transferCame(reader, end);
        case DESCRIPTOR.disposition:
          disposition.read(reader);
          return this.#dispositionCame();
        case DESCRIPTOR.flow:
          flow.read(reader);
          return this.#flowCame();
        case DESCRIPTOR.attach:
          return this.#links.attachCame(readAttach(reader));
        case DESCRIPTOR.detach:
          return this.#links.detachCame(readDetach(reader));
        default:
      }
    } catch (error) {
      if (!(error instanceof WireFailure) || OF_CONNECTION.has(error.condition)) throw error;
      this.end({ condition: error.condition, description: error.message });
    }
  }

  /** Before the next write: dispositions, and flows with the last state of each link. */
  flush(): void {
    this.#queued = false;
    if (this.state !== "mapped") return;
    this.settle();
    this.#flows.flush();
  }

  /** For the connection: the transport may take more again. */
  reopened(): void {
    this.#openings.reopen(() => this.output.open && this.windows.remoteIncomingWindow > 0);
  }

  changed(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.output.defer(this);
  }

  flowChanged(link: Link): void {
    this.#flows.add(link);
    this.changed();
  }

  awaitOpening(link: Link): void {
    this.#openings.add(link);
  }

  takeDeliveryId(): number {
    return this.#ids.take();
  }

  sendAttach(link: Link, attach: Attach): void {
    this.#links.sendAttach(link, attach);
  }

  sendDetach(link: Link, end: LinkEnd): void {
    this.#links.sendDetach(link as Sender | Receiver, end);
  }

  linkCame(link: Link): void {
    this.#host.linkCame(link);
  }

  linkWent(link: Link): void {
    this.#host.linkWent(link);
  }

  settle(): void {
    this.receivedSettlements.flush();
    this.sentSettlements.flush();
  }

  #transferCame(reader: Reader, end: number): void {
    this.windows.came();
    if (this.windows.low) this.#wantFlow();
    const link = this.#links.at(transfer.handle);
    if (!link.isReceiver) {
      throw new WireFailure(CONDITION.notAllowed, "Cannot take a transfer: its link is one on which we send");
    }
    if (link.awaitsFirst) this.#ids.count(transfer.deliveryId, link.state === "detaching");
    if (link.state === "detaching") return;
    if (link.state !== "attached") {
      throw new WireFailure(CONDITION.notAllowed, "Cannot take a transfer: its link is not attached");
    }
    try {
      link.came(transfer, reader.bytes, reader.at, end);
    } catch (error) {
      if (!(error instanceof LinkFailure)) throw error;
      link.detach({ error: { condition: error.condition, description: error.message } });
    }
  }

  #dispositionCame(): void {
    const { role, first, last, state, settled } = disposition;
    // A receiver speaks of what we sent.
    (role ? this.sent : this.received).tell(first, last, state, settled);
  }

  #flowCame(): void {
    this.windows.heard(flow);
    if (flow.handle === ABSENT) {
      if (flow.echo) this.#wantFlow();
    } else {
      const link = this.#links.at(flow.handle);
      if (link.state === "asked" || link.state === "attached") link.heard(flow);
    }
    this.reopened();
  }

  #wantFlow(): void {
    this.#flows.want();
    this.changed();
  }

  #clear(error: AmqpError | null): void {
    this.#openings.clear();
    this.#links.clear(error);
  }
}

/** Failures after which nothing on the connection can be read any more. */
const OF_CONNECTION: ReadonlySet<string> = new Set([CONDITION.framingError, CONDITION.decodeError]);
