import { DESCRIPTOR } from "../frames/descriptors.ts";
import { Disposition } from "../frames/disposition.ts";
import type { AmqpError } from "../frames/error.ts";
import { Flow } from "../frames/flow.ts";
import {
  type Attach,
  type Begin,
  readAttach,
  readDetach,
  writeAttach,
  writeBegin,
  writeDetach,
  writeEnd,
} from "../frames/performatives.ts";
import { Transfer } from "../frames/transfer.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { serialAdd } from "../types/serial.ts";
import type { AttachOptions, Link, LinkEnd, LinkHost } from "./link.ts";
import type { Output } from "./output.ts";
import { LinkFailure, Receiver, type ReceiverEvents } from "./receiver.ts";
import { Sender, type SenderEvents } from "./sender.ts";
import { Settlements } from "./settlements.ts";
import { Unsettled } from "./unsettled.ts";
import { SessionWindows } from "./windows.ts";

/** What links tell. */
export interface LinkEvents extends SenderEvents, ReceiverEvents {
  /** The peer asks for a link: `accept` or `refuse` it, now or later. */
  linkAsked(link: Sender | Receiver): void;
  /** The peer gave the link that we asked for. */
  linkAttached(link: Sender | Receiver): void;
  /**
   * A link that was asked for or attached is no more, told once: detached by the peer or by us, or gone with its session or
   * connection. `link.unsettled` still has its deliveries, which are forgotten afterwards.
   */
  linkDetached(link: Sender | Receiver, end: LinkEnd): void;
}

/** What a session asks of its connection. */
export interface SessionHost {
  readonly output: Output;
  readonly events: LinkEvents;
  /** Frames that a session takes before it tells the peer of more. */
  readonly incomingWindow: number;
  /** The highest handle that a peer may use in a session. */
  readonly handleMax: number;
  /** Takes in a link that attaches, and detaches the one that had its name and direction until now. Throws `WireFailure` when there are too many. */
  linkCame(link: Link): void;
  linkWent(link: Link): void;
  sessionEnded(session: Session, error: AmqpError | null): void;
}

/** Where a session is: `beginning` from our side, mapped, `ending` (ours is sent), or ended. */
export type SessionState = "beginning" | "mapped" | "ending" | "ended";

const transfer = new Transfer();
const disposition = new Disposition();
const flow = new Flow();
/** Written, where `flow` is read: whoever hears of a flow may have what follows from it written at once. */
const told = new Flow();

/** One session of a connection. */
export class Session implements LinkHost {
  /** Ours. */
  readonly channel: number;
  /** The peer's; -1 until it is known. */
  remoteChannel = ABSENT;
  state: SessionState;
  /** What the peer said; null until it has. */
  remote: Begin | null = null;
  /** For whoever uses the session: what belongs to it. */
  context: unknown = null;
  readonly output: Output;
  readonly windows: SessionWindows;
  readonly sent = new Unsettled();
  readonly received = new Unsettled();
  readonly sentSettlements: Settlements;
  readonly receivedSettlements: Settlements;
  readonly #host: SessionHost;
  /** By our handles, and by those of the peer. */
  readonly #links: (Sender | Receiver | undefined)[] = [];
  readonly #byRemoteHandle: (Sender | Receiver | undefined)[] = [];
  #flowing: Link[] = [];
  #awaiting: Link[] = [];
  #queued = false;
  #flowWanted = false;
  #endWanted: { readonly error: AmqpError | null } | null = null;
  #nextDeliveryId = 0;
  #lastReceivedId = ABSENT;

  constructor(host: SessionHost, channel: number) {
    this.#host = host;
    this.output = host.output;
    this.channel = channel;
    this.state = "beginning";
    this.windows = new SessionWindows(host.incomingWindow);
    this.sentSettlements = new Settlements(host.output, channel, false);
    this.receivedSettlements = new Settlements(host.output, channel, true);
  }

  /** All links that are not detached. */
  get links(): readonly (Sender | Receiver)[] {
    return this.#links.filter((link) => link !== undefined);
  }

  /**
   * Asks the peer for a link on which we send; `linkAttached` or `linkDetached` tells what became of it. Throws where the
   * peer, or our own limits, allow no more links.
   */
  attachSender(name: string, options: AttachOptions): Sender {
    const sender = new Sender(this, this.#host.events, name, this.#freeHandle(), "asking");
    return this.#ask(sender, options);
  }

  /** Asks the peer for a link on which we receive. Credit may be given at once. */
  attachReceiver(name: string, options: AttachOptions): Receiver {
    const receiver = new Receiver(this, this.#host.events, name, this.#freeHandle(), "asking");
    return this.#ask(receiver, options);
  }

  /** Ends the session and all its links. */
  end(error: AmqpError | null = null): void {
    this.#endWanted = { error };
    if (this.state === "beginning") return this.detachAll(error);
    if (this.state !== "mapped") return;
    this.state = "ending";
    this.#writeEnd(error);
    this.detachAll(error);
  }

  /** For the connection: says that the session begins, with the channel of the begin that this answers. */
  begin(remoteChannel: number): void {
    const begin: Begin = {
      ...(remoteChannel !== ABSENT && { remoteChannel }),
      nextOutgoingId: this.windows.nextOutgoingId,
      incomingWindow: this.windows.incomingWindow,
      outgoingWindow: this.windows.outgoingWindow,
      handleMax: this.#host.handleMax,
    };
    const start = this.output.begin(this.channel);
    writeBegin(this.output.frames, begin);
    this.output.frames.end(start);
  }

  /** For the connection: takes in the begin of the peer. */
  begun(remoteChannel: number, begin: Begin): void {
    this.remoteChannel = remoteChannel;
    this.remote = begin;
    this.state = "mapped";
    this.windows.begun(begin.nextOutgoingId, begin.incomingWindow);
    if (this.#endWanted !== null) return this.end(this.#endWanted.error);
    for (const link of this.links) if (link.local !== null) this.#writeAttach(link.local);
  }

  /** For the connection: takes in the end of the peer. */
  endHeard(error: AmqpError | null): void {
    const answered = this.state === "ending";
    this.state = "ended";
    this.detachAll(error);
    if (!answered) this.#writeEnd(null);
    this.#host.sessionEnded(this, error);
  }

  /** For the connection: the session is lost with it. */
  lost(error: AmqpError | null): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.detachAll(error);
    this.#host.sessionEnded(this, error);
  }

  /** For the connection: takes in a frame. Failures of the session end it; those of bytes are thrown. */
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
          return this.#attachCame(readAttach(reader));
        case DESCRIPTOR.detach:
          return this.#detachCame(reader);
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
    this.receivedSettlements.flush();
    this.sentSettlements.flush();
    const flowing = this.#flowing;
    this.#flowing = [];
    for (const link of flowing) {
      link.flowQueued = false;
      if (!link.attached) continue;
      link.tell(told);
      this.#writeFlow();
    }
    if (!this.#flowWanted) return;
    told.handle = ABSENT;
    this.#writeFlow();
  }

  /** For the connection: the transport takes more again. */
  reopened(): void {
    if (this.#awaiting.length === 0 || !this.output.open || this.windows.remoteIncomingWindow === 0) return;
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const link of awaiting) {
      link.openingAwaited = false;
      link.reopened();
    }
  }

  changed(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.output.defer(this);
  }

  flowChanged(link: Link): void {
    if (link.flowQueued) return;
    link.flowQueued = true;
    this.#flowing.push(link);
    this.changed();
  }

  awaitOpening(link: Link): void {
    if (link.openingAwaited) return;
    link.openingAwaited = true;
    this.#awaiting.push(link);
  }

  takeDeliveryId(): number {
    const id = this.#nextDeliveryId;
    this.#nextDeliveryId = serialAdd(id, 1);
    return id;
  }

  sendAttach(link: Link, attach: Attach): void {
    // A session that the peer has not begun has its attaches written when it has.
    if (this.state === "mapped") this.#writeAttach(attach);
    else if (this.state !== "beginning") link.state = "detached";
  }

  sendDetach(link: Link, end: LinkEnd): void {
    if (this.state === "mapped") {
      this.#settle();
      this.#writeDetach(link, end);
    }
    // Where the peer has not answered yet, its handle is not known: its attach, and then its detach, are still to come.
    link.state = "detaching";
    this.#told(link as Sender | Receiver, end);
  }

  #ask<L extends Sender | Receiver>(link: L, options: AttachOptions): L {
    this.#links[link.handle] = link;
    this.#host.linkCame(link);
    link.say(options);
    return link;
  }

  #attachCame(attach: Attach): void {
    if (attach.handle > this.#host.handleMax) {
      throw new WireFailure(
        CONDITION.framingError,
        `Cannot use handle ${attach.handle}: the highest is ${this.#host.handleMax}`,
      );
    }
    if (this.#byRemoteHandle[attach.handle] !== undefined) {
      throw new WireFailure(CONDITION.handleInUse, `Cannot attach handle ${attach.handle}: it is in use`);
    }
    // Deliveries are counted from here.
    if (!attach.role && attach.initialDeliveryCount === undefined) {
      throw new WireFailure(CONDITION.invalidField, "Cannot attach: a sender has to give its initial delivery count");
    }
    const own = this.#links.find(
      (link) => link?.name === attach.name && link.isReceiver !== attach.role && link.remote === null,
    );
    if (own !== undefined) return this.#answerCame(own, attach);
    this.#asked(attach);
  }

  #answerCame(link: Sender | Receiver, attach: Attach): void {
    this.#byRemoteHandle[attach.handle] = link;
    if (link.state !== "asking") {
      link.remote = attach;
      return;
    }
    // Without its terminus the peer refuses: the detach that says why comes next.
    if ((link.isReceiver ? attach.source : attach.target) === undefined) {
      link.remote = attach;
      return;
    }
    link.answered(attach);
    this.#host.events.linkAttached(link);
  }

  #asked(attach: Attach): void {
    const Kind = attach.role ? Sender : Receiver;
    const link = new Kind(this, this.#host.events, attach.name, this.#freeHandle(), "asked");
    link.remote = attach;
    this.#links[link.handle] = link;
    this.#byRemoteHandle[attach.handle] = link;
    try {
      this.#host.linkCame(link);
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      // Nobody was told of the link, nor will be.
      link.say({});
      link.state = "detaching";
      this.#writeDetach(link, { closed: true, error: { condition: error.condition, description: error.message } });
      return;
    }
    this.#host.events.linkAsked(link);
  }

  #detachCame(reader: Reader): void {
    const { handle, closed = false, error = null } = readDetach(reader);
    const link = this.#linkAt(handle);
    this.#byRemoteHandle[handle] = undefined;
    if (link.state === "detaching") {
      link.state = "detached";
      if (this.#links[link.handle] === link) this.#links[link.handle] = undefined;
      return;
    }
    const end: LinkEnd = { closed, error };
    const unanswered = link.state === "asked";
    link.state = "detached";
    this.#told(link, end);
    if (unanswered) link.say({});
    if (this.#isMapped()) this.#writeDetach(link, { closed, error: null });
    this.#links[link.handle] = undefined;
  }

  #transferCame(reader: Reader, end: number): void {
    this.windows.came();
    if (this.windows.low) this.#wantFlow();
    const link = this.#linkAt(transfer.handle);
    this.#countDelivery(transfer.deliveryId);
    if (link.state === "detaching") return;
    if (!link.isReceiver || link.state !== "attached") {
      throw new WireFailure(
        CONDITION.notAllowed,
        "Cannot take a transfer: the link is not one on which its peer sends",
      );
    }
    try {
      link.came(transfer, reader.bytes, reader.at, end);
    } catch (error) {
      if (!(error instanceof LinkFailure)) throw error;
      link.detach({ error: { condition: error.condition, description: error.message } });
    }
  }

  /** Requires that delivery ids go up by one, or are that of the delivery of the frame before. */
  #countDelivery(id: number): void {
    const last = this.#lastReceivedId;
    if (id === ABSENT || id === last) return;
    // Frames of several deliveries may take turns, each on its own link.
    if (last !== ABSENT && this.received.has(id)) return;
    if (last !== ABSENT && id !== serialAdd(last, 1)) {
      throw new WireFailure(CONDITION.invalidField, `Cannot take delivery ${id}: the last one was ${last}`);
    }
    this.#lastReceivedId = id;
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
      const link = this.#linkAt(flow.handle);
      if (link.state === "asked" || link.state === "attached") link.heard(flow);
    }
    this.reopened();
  }

  #linkAt(handle: number): Sender | Receiver {
    const link = handle <= this.#host.handleMax ? this.#byRemoteHandle[handle] : undefined;
    if (link === undefined) {
      throw new WireFailure(CONDITION.unattachedHandle, `Cannot use handle ${handle}: nothing is attached to it`);
    }
    return link;
  }

  #freeHandle(): number {
    const free = this.#links.indexOf(undefined);
    const handle = free < 0 ? this.#links.length : free;
    if (handle > (this.remote?.handleMax ?? handle)) {
      throw new WireFailure(
        CONDITION.resourceLimitExceeded,
        `Cannot attach: the peer takes no handle above ${this.remote?.handleMax}`,
      );
    }
    return handle;
  }

  #wantFlow(): void {
    this.#flowWanted = true;
    this.changed();
  }

  /** Tells of a link that is no more, once. */
  #told(link: Sender | Receiver, end: LinkEnd): void {
    this.#host.linkWent(link);
    this.#host.events.linkDetached(link, end);
    link.clear();
  }

  /** For the session's end: all links go with it. */
  detachAll(error: AmqpError | null): void {
    for (const link of this.links) {
      if (link.state === "detaching" || link.state === "detached") continue;
      link.state = "detached";
      this.#told(link, { closed: false, error });
    }
    this.#links.length = 0;
    this.#byRemoteHandle.length = 0;
    this.#awaiting = [];
  }

  #isMapped(): boolean {
    return this.state === "mapped";
  }

  /** What was said of deliveries has to be heard before their link or session ends. */
  #settle(): void {
    this.receivedSettlements.flush();
    this.sentSettlements.flush();
  }

  #writeAttach(attach: Attach): void {
    const start = this.output.begin(this.channel);
    writeAttach(this.output.frames, attach);
    this.output.frames.end(start);
  }

  #writeDetach(link: Link, { closed, error }: LinkEnd): void {
    this.#settle();
    const start = this.output.begin(this.channel);
    writeDetach(this.output.frames, { handle: link.handle, closed, ...(error !== null && { error }) });
    this.output.frames.end(start);
  }

  #writeEnd(error: AmqpError | null): void {
    this.#settle();
    const start = this.output.begin(this.channel);
    writeEnd(this.output.frames, error === null ? {} : { error });
    this.output.frames.end(start);
  }

  #writeFlow(): void {
    this.windows.tell(told);
    this.#flowWanted = false;
    const start = this.output.begin(this.channel);
    told.write(this.output.frames);
    this.output.frames.end(start);
  }
}

/** Failures after which nothing on the connection can be read any more. */
const OF_CONNECTION: ReadonlySet<string> = new Set([CONDITION.framingError, CONDITION.decodeError]);
