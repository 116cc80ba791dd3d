import type { DeliveryState } from "../frames/delivery-state.ts";
import type { Flow } from "../frames/flow.ts";
import { SENDER_SETTLES } from "../frames/performatives.ts";
import { type DeliveryTag, tagBytes } from "../frames/transfer.ts";
import { ABSENT } from "../types/reader.ts";
import { serialAdd, serialDistance } from "../types/serial.ts";
import { DeliveryList } from "./delivery-list.ts";
import { type AttachOptions, Link, type LinkHost, type LinkState } from "./link.ts";
import { type SendOptions, TransferWriter } from "./transfer-writer.ts";

const NO_OPTIONS: SendOptions = {};

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
  /** For whoever uses it: when it began to be unsettled. */
  atMs = 0;
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
  readonly #writer: TransferWriter;
  #nextTag = 0;

  constructor(host: LinkHost, events: SenderEvents, name: string, handle: number, state: LinkState) {
    super(host, name, handle, state);
    this.#events = events;
    this.#writer = new TransferWriter(host, handle);
  }

  /** Bytes that the peer takes as one message; Infinity where it has no limit. */
  get messageBytesMax(): number {
    return this.remote?.maxMessageSize || Infinity;
  }

  /** Whether `send` would send now. Where not, `flow` is called once that may have changed. */
  canSend(): boolean {
    if (this.state !== "attached" || this.credit === 0 || this.#writer.busy) return false;
    if (this.#writer.open) return true;
    this.host.awaitOpening(this);
    return false;
  }

  /** Whether the peer has given credit and yet takes nothing: its session's window is 0, or it does not read. */
  get isHeldBack(): boolean {
    return this.attached && this.credit > 0 && (this.#writer.busy || !this.#writer.open);
  }

  /**
   * Sends a message, given as its bytes; null where `canSend` says no. Bytes are copied at once, but for messages of more
   * than `COPIED_BYTES_MAX`, which must not be changed until the delivery is settled.
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
    this.#writer.write(delivery, message, options);
    if (this.#writer.busy) this.host.awaitOpening(this);
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
    const delivery = this.attached ? (this.#writer.abort() as OutgoingDelivery | null) : null;
    if (delivery !== null) this.#forget(delivery);
    return delivery !== null;
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
    this.heardMore(flow);
    const from = flow.deliveryCount === ABSENT ? (this.local?.initialDeliveryCount ?? 0) : flow.deliveryCount;
    if (flow.linkCredit !== ABSENT) {
      const credit = flow.linkCredit - serialDistance(this.deliveryCount, from);
      this.credit = Math.min(Math.max(0, credit), 0xffff_ffff);
    }
    this.drain = flow.drain;
    if (this.drain && this.credit === 0) this.host.flowChanged(this);
    if (this.attached) this.#events.flow(this);
  }

  override tell(flow: Flow): void {
    flow.handle = this.handle;
    flow.deliveryCount = this.deliveryCount;
    flow.linkCredit = this.credit;
    flow.available = this.available ?? ABSENT;
    flow.drain = this.drain;
  }

  override reopened(): void {
    this.#writer.resume();
    if (this.#writer.busy) this.host.awaitOpening(this);
    else if (this.attached && this.credit > 0) this.#events.flow(this);
  }

  override clear(): void {
    this.#writer.clear();
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
    if (delivery.settled) return;
    delivery.settled = true;
    this.unsettled.delete(delivery);
    this.host.sent.delete(delivery.id);
  }
}
