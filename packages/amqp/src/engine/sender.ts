import type { DeliveryState } from "../frames/delivery-state.ts";
import type { Flow } from "../frames/flow.ts";
import { SENDER_SETTLES } from "../frames/performatives.ts";
import {
  type DeliveryTag,
  setMore,
  tagBytes,
  TRANSFER_BYTES_MAX,
  writeAbort,
  writeTransfer,
} from "../frames/transfer.ts";
import { ABSENT } from "../types/reader.ts";
import { serialAdd, serialDistance } from "../types/serial.ts";
import { DeliveryList } from "./delivery-list.ts";
import { type AttachOptions, Link, type LinkHost, type LinkState } from "./link.ts";

const NOTHING = new Uint8Array(0);
const NO_OPTIONS: SendOptions = {};
const FRAME_HEADER_BYTES = 8;

/** What senders tell. */
export interface SenderEvents {
  /** The peer gave credit, took it back, asks for a drain (`sender.drain`), or messages may be written again. */
  flow(sender: Sender): void;
  /**
   * The peer told a state of a delivery (`delivery.state`), or settled it (`delivery.settled`). Where it gave an outcome
   * and waits for us to settle first, `delivery.settle()` does so.
   */
  outcome(delivery: OutgoingDelivery): void;
}

/** How a message is sent. */
export interface SendOptions {
  /** Whether nothing more is wanted to be heard of it; default false. A link that settles always or never decides itself. */
  readonly settled?: boolean;
  /** Bytes to go before those of the message, such as a header that was rewritten. */
  readonly head?: Uint8Array;
  /** At most 32 bytes, unlike all others that are unsettled; default a number that counts up. */
  readonly tag?: Uint8Array;
  /** Default 0, AMQP's own. */
  readonly messageFormat?: number;
  /** With `resume`: the delivery was sent before, on a link that was lost, and this is its state. */
  readonly resume?: boolean;
  readonly state?: DeliveryState;
}

/** A message that we sent. */
export class OutgoingDelivery {
  readonly sender: Sender;
  readonly id: number;
  /** What the peer said last; null until it has. */
  state: DeliveryState | null = null;
  /** Whether it is over: settled by either side, or the link has gone. */
  settled: boolean;
  /** For whoever sent it: what belongs to it. */
  context: unknown = null;
  before: OutgoingDelivery | null = null;
  after: OutgoingDelivery | null = null;
  /** For the sender. */
  readonly shortTag: DeliveryTag;

  constructor(sender: Sender, id: number, tag: DeliveryTag, settled: boolean) {
    this.sender = sender;
    this.id = id;
    this.shortTag = tag;
    this.settled = settled;
  }

  get tag(): Uint8Array {
    return tagBytes(this.shortTag);
  }

  /** Settles what the peer has not settled, with its own outcome or the given one. */
  settle(state: DeliveryState | null = this.state): void {
    if (!this.settled) this.sender.settle(this, state);
  }

  /** For the session: takes in what the peer said. */
  heard(state: DeliveryState | null, settled: boolean): void {
    this.sender.heardOf(this, state, settled);
  }
}

interface Sending {
  readonly delivery: OutgoingDelivery;
  readonly options: SendOptions;
  readonly parts: readonly Uint8Array[];
  part: number;
  offset: number;
  begun: boolean;
}

/** Our end of a link on which we send. */
export class Sender extends Link {
  override readonly isReceiver = false;
  /** How many messages the peer takes at present. */
  credit = 0;
  /** Whether the peer wants all credit used up at once: `drained` says that there is no more. */
  drain = false;
  /** How many messages wait here, as the peer is told with flows; null: not told. */
  available: number | null = null;
  /** How many messages were sent (modulo 2^32); starts at what the attach says. */
  deliveryCount = 0;
  readonly unsettled = new DeliveryList<OutgoingDelivery>();
  readonly #events: SenderEvents;
  #sending: Sending | null = null;
  #nextTag = 0;
  readonly #frame = {
    handle: 0,
    deliveryId: ABSENT,
    tag: null as DeliveryTag | null,
    messageFormat: ABSENT,
    settled: false,
    state: null as DeliveryState | null,
    resume: false,
  };

  constructor(host: LinkHost, events: SenderEvents, name: string, handle: number, state: LinkState) {
    super(host, name, handle, state);
    this.#events = events;
    this.#frame.handle = handle;
  }

  /** Bytes that the peer takes as one message; Infinity where it has no limit. */
  get messageBytesMax(): number {
    return this.remote?.maxMessageSize || Infinity;
  }

  /** Whether `send` would send now. Where not, `flow` is called once that may have changed. */
  canSend(): boolean {
    if (this.state !== "attached" || this.credit === 0 || this.#sending !== null) return false;
    if (this.host.output.open && this.host.windows.remoteIncomingWindow > 0) return true;
    this.host.awaitOpening(this);
    return false;
  }

  /**
   * Sends a message, given as its bytes; null where `canSend` says no. Bytes are copied at once, but for messages larger
   * than a frame, which must not be changed until the delivery is settled.
   */
  send(message: Uint8Array, options: SendOptions = NO_OPTIONS): OutgoingDelivery | null {
    if (!this.canSend()) return null;
    const mode = this.local?.sndSettleMode;
    const settled =
      mode === undefined || mode === SENDER_SETTLES.mixed
        ? (options.settled ?? false)
        : mode === SENDER_SETTLES.settled;
    const delivery = new OutgoingDelivery(this, this.host.takeDeliveryId(), options.tag ?? this.#nextTag++, settled);
    this.credit--;
    this.deliveryCount = serialAdd(this.deliveryCount, 1);
    if (!settled) {
      this.unsettled.add(delivery);
      this.host.sent.add(delivery);
    }
    const head = options.head ?? NOTHING;
    if (head.length + message.length <= this.#roomOf(options)) {
      const { frames } = this.host.output;
      const start = this.host.output.begin(this.host.channel);
      this.#writeFirst(delivery, options);
      if (head.length > 0) frames.raw(head);
      frames.raw(message);
      frames.end(start);
      this.host.windows.sent();
    } else {
      this.#sending = { delivery, options, parts: [head, message], part: 0, offset: 0, begun: false };
      this.#continue();
    }
    return delivery;
  }

  /** Says that nothing more is there for the credit that a draining peer has given, which is then gone. */
  drained(): void {
    if (!this.drain || this.state !== "attached") return;
    this.deliveryCount = serialAdd(this.deliveryCount, this.credit);
    this.credit = 0;
    this.host.flowChanged(this);
  }

  /** Gives up the message of which only some frames are sent; false where there is none. */
  abort(): boolean {
    const sending = this.#sending;
    if (sending === null || !this.attached) return false;
    this.#sending = null;
    if (!sending.delivery.settled) this.#forget(sending.delivery);
    const { output } = this.host;
    const start = output.begin(this.host.channel);
    writeAbort(output.frames, this.handle, sending.delivery.id, sending.delivery.shortTag);
    output.frames.end(start);
    this.host.windows.sent();
    return true;
  }

  /** For deliveries. */
  settle(delivery: OutgoingDelivery, state: DeliveryState | null): void {
    this.#forget(delivery);
    if (state?.type === "accepted") {
      this.host.sentSettlements.gather(delivery.id);
      this.host.changed();
    } else this.host.sentSettlements.say(delivery.id, delivery.id, true, state);
  }

  /** For deliveries. */
  heardOf(delivery: OutgoingDelivery, state: DeliveryState | null, settled: boolean): void {
    if (state !== null) delivery.state = state;
    if (settled) this.#forget(delivery);
    else if (state === null) return;
    this.#events.outcome(delivery);
  }

  override heard(flow: Flow): void {
    const from = flow.deliveryCount === ABSENT ? (this.local?.initialDeliveryCount ?? 0) : flow.deliveryCount;
    if (flow.linkCredit !== ABSENT) {
      const credit = flow.linkCredit - serialDistance(this.deliveryCount, from);
      this.credit = Math.min(Math.max(0, credit), 0xffff_ffff);
    }
    this.drain = flow.drain;
    if (flow.echo || (this.drain && this.credit === 0)) this.host.flowChanged(this);
    if (this.attached) this.#events.flow(this);
  }

  override tell(flow: Flow): void {
    flow.handle = this.handle;
    flow.deliveryCount = this.deliveryCount;
    flow.linkCredit = this.credit;
    flow.available = this.available ?? ABSENT;
    flow.drain = this.drain;
    flow.echo = false;
  }

  override reopened(): void {
    if (this.#sending !== null) this.#continue();
    if (this.attached && this.#sending === null && this.credit > 0) this.#events.flow(this);
  }

  override clear(): void {
    this.#sending = null;
    for (const delivery of this.unsettled) this.#forget(delivery);
  }

  protected override initial(): AttachOptions {
    return { initialDeliveryCount: 0 };
  }

  protected override begun(): void {
    this.deliveryCount = this.local?.initialDeliveryCount ?? 0;
    // A peer may give credit before it hears our answer.
    if (this.credit > 0 || this.drain) this.#events.flow(this);
  }

  #forget(delivery: OutgoingDelivery): void {
    delivery.settled = true;
    this.unsettled.delete(delivery);
    this.host.sent.delete(delivery.id);
  }

  #roomOf({ tag, state }: SendOptions): number {
    // States are small but for their annotations, and those that go with a transfer have none.
    const other = state === undefined ? 0 : 256;
    return this.host.output.frameBytesMax - FRAME_HEADER_BYTES - TRANSFER_BYTES_MAX - other - (tag?.length ?? 0);
  }

  #writeFirst(delivery: OutgoingDelivery, options: SendOptions): number {
    const frame = this.#frame;
    frame.deliveryId = delivery.id;
    frame.tag = delivery.shortTag;
    frame.messageFormat = options.messageFormat ?? 0;
    frame.settled = delivery.settled;
    frame.state = options.state ?? null;
    frame.resume = options.resume ?? false;
    return writeTransfer(this.host.output.frames, frame);
  }

  #writeLater(delivery: OutgoingDelivery): number {
    const frame = this.#frame;
    frame.deliveryId = ABSENT;
    frame.tag = null;
    frame.messageFormat = ABSENT;
    frame.settled = delivery.settled;
    frame.state = null;
    frame.resume = false;
    return writeTransfer(this.host.output.frames, frame);
  }

  /** Writes as many frames of a large message as may be. */
  #continue(): void {
    const { output, windows } = this.host;
    while (this.#sending !== null) {
      if (!output.open || windows.remoteIncomingWindow === 0) return this.host.awaitOpening(this);
      this.#writeNext(this.#sending);
      windows.sent();
    }
  }

  #writeNext(sending: Sending): void {
    const { output } = this.host;
    const start = output.begin(this.host.channel);
    const { begun, delivery, options } = sending;
    const more = begun ? this.#writeLater(delivery) : this.#writeFirst(delivery, options);
    let room = this.#roomOf(begun ? NO_OPTIONS : options);
    sending.begun = true;
    while (room > 0 && sending.part < sending.parts.length) {
      const part = sending.parts[sending.part] ?? NOTHING;
      const bytes = part.subarray(sending.offset, sending.offset + room);
      output.frames.raw(bytes);
      room -= bytes.length;
      sending.offset += bytes.length;
      if (sending.offset < part.length) break;
      sending.part++;
      sending.offset = 0;
    }
    if (sending.part < sending.parts.length) setMore(output.frames, more);
    else this.#sending = null;
    output.frames.end(start);
  }
}
