import { ACCEPTED, type DeliveryState, isOutcome, RELEASED } from "../frames/delivery-state.ts";
import type { AmqpError } from "../frames/error.ts";
import type { Flow } from "../frames/flow.ts";
import type { Fields } from "../frames/fields.ts";
import { RECEIVER_SETTLES } from "../frames/performatives.ts";
import type { Transfer } from "../frames/transfer.ts";
import { CONDITION, LinkFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT } from "../types/reader.ts";
import { DeliveryList } from "./delivery-list.ts";
import { IncomingCredit } from "./incoming-credit.ts";
import { type AttachOptions, Link, type LinkHost, type LinkState } from "./link.ts";
import { PartialMessage } from "./partial-message.ts";

const NOTHING = new Uint8Array(0);

/** What receivers tell. */
export interface ReceiverEvents {
  /** A whole message came; its bytes are `delivery.message`, only during this call. */
  delivered(delivery: IncomingDelivery): void;
  /** The sender settled a delivery, before us or after our outcome; `delivery.outgoingState` is what it said with that. */
  settled(delivery: IncomingDelivery): void;
  /** The sender has no more for the credit of a drain, which is gone; or it told what it has (`receiver.available`). */
  senderFlow(receiver: Receiver): void;
}

/** A message that came to us. */
export class IncomingDelivery {
  readonly receiver: Receiver;
  readonly id: number;
  /** Views of what came in, while `delivered` runs: copy what is to be kept, as a view keeps much larger pieces in memory. */
  message: Uint8Array = NOTHING;
  /** 0 for AMQP's own. */
  messageFormat = 0;
  /** Whether it is over: settled by either side, or the link has gone. */
  settled: boolean;
  /** The outcome we gave; null until we have. */
  outcome: DeliveryState | null = null;
  /** What the sender said with the transfer or later: of use with `resume` and transactions. */
  outgoingState: DeliveryState | null = null;
  /** Whether the sender takes up a delivery of a link that was lost. */
  resume = false;
  /** For whoever takes it: what belongs to it. */
  context: unknown = null;
  /** For whoever uses it: when it began to be unsettled. */
  atMs = 0;
  before: IncomingDelivery | null = null;
  after: IncomingDelivery | null = null;
  /** For the receiver: whether we wait for the sender to settle first, and where the tag is. */
  settlesSecond = false;
  tagBytes: Uint8Array = NOTHING;
  tagStart = 0;
  tagEnd = 0;

  constructor(receiver: Receiver, id: number, settled: boolean) {
    this.receiver = receiver;
    this.id = id;
    this.settled = settled;
  }

  /** What the sender calls this delivery on its link; like `message`, only while `delivered` runs. */
  get tag(): Uint8Array {
    return this.tagBytes.subarray(this.tagStart, this.tagEnd);
  }

  accept(): void {
    this.settle(ACCEPTED);
  }

  release(): void {
    this.settle(RELEASED);
  }

  reject(error?: AmqpError): void {
    this.settle({ type: "rejected", ...(error !== undefined && { error }) });
  }

  modify(changes: {
    readonly deliveryFailed?: boolean;
    readonly undeliverableHere?: boolean;
    readonly messageAnnotations?: Fields;
  }): void {
    this.settle({ type: "modified", ...changes });
  }

  /** Gives an outcome, once: does nothing where there is one, or where the sender has settled already. */
  settle(state: DeliveryState): void {
    if (!this.settled && this.outcome === null) this.receiver.settle(this, state);
  }

  /** For the session: takes in what the sender said. */
  heard(state: DeliveryState | null, settled: boolean): void {
    this.receiver.heardOf(this, state, settled);
  }
}

/** Our end of a link on which we receive. */
export class Receiver extends Link {
  override readonly isReceiver = true;
  /** How many messages the sender has waiting, where it told; null otherwise. */
  available: number | null = null;
  readonly unsettled = new DeliveryList<IncomingDelivery>();
  readonly #events: ReceiverEvents;
  /** For users: `slack` of it alone. */
  readonly incoming = new IncomingCredit();
  #partial: { readonly delivery: IncomingDelivery; readonly message: PartialMessage } | null = null;

  constructor(host: LinkHost, events: ReceiverEvents, name: string, handle: number, state: LinkState) {
    super(host, name, handle, state);
    this.#events = events;
  }

  /** How many more messages the sender may send. */
  get credit(): number {
    return this.incoming.credit;
  }

  /** Whether the sender was asked to use up or give back its credit, and has not yet. */
  get draining(): boolean {
    return this.incoming.draining;
  }

  /** How many messages came (modulo 2^32). */
  get deliveryCount(): number {
    return this.incoming.deliveryCount;
  }

  /** Lets the sender send so many messages from now on, whatever it was allowed before. The peer is told at the next write. */
  setCredit(credit: number): void {
    if (credit !== this.credit || this.draining) this.#give(credit, false);
  }

  /** Sets the credit to `credit` where half of it or less is left: what a steady receiver does after each message. */
  keepCredit(credit: number): void {
    if (this.credit < credit && this.credit * 2 <= credit) this.#give(credit, false);
  }

  /** Asks the sender to use up its credit at once, or `credit` where it is given, and to give back what it has no message for. */
  drainCredit(credit = this.credit): void {
    this.#give(credit, true);
  }

  /** Whether the next frame is the first of a message. */
  get awaitsFirst(): boolean {
    return this.#partial === null;
  }

  /** For the session: takes in a transfer with its payload. Throws `WireFailure`, which ends the session or this link. */
  came(transfer: Transfer, bytes: Uint8Array, start: number, end: number): void {
    const partial = this.#partial;
    if (partial === null) return this.#first(transfer, bytes, start, end);
    if (transfer.deliveryId !== ABSENT && transfer.deliveryId !== partial.delivery.id) {
      throw new WireFailure(CONDITION.notAllowed, `Cannot take delivery ${transfer.deliveryId}: its link has another`);
    }
    if (transfer.settled === true) this.#forget(partial.delivery);
    if (transfer.aborted) {
      this.#dropPartial();
      return this.#forget(partial.delivery);
    }
    if (transfer.state !== null) partial.delivery.outgoingState = transfer.state;
    this.#append(partial.message, bytes, start, end);
    if (transfer.more) return;
    this.#dropPartial();
    this.#deliver(partial.delivery, partial.message.take());
  }

  /** For deliveries. */
  settle(delivery: IncomingDelivery, state: DeliveryState): void {
    delivery.outcome = state;
    if (this.state !== "attached") return;
    if (delivery.settlesSecond && isOutcome(state)) {
      this.host.receivedSettlements.say(delivery.id, delivery.id, false, state);
      return;
    }
    this.#forget(delivery);
    if (state.type === "accepted") {
      this.host.receivedSettlements.gather(delivery.id);
      this.host.changed();
    } else this.host.receivedSettlements.say(delivery.id, delivery.id, true, state);
  }

  /** For deliveries. */
  heardOf(delivery: IncomingDelivery, state: DeliveryState | null, settled: boolean): void {
    if (state !== null) delivery.outgoingState = state;
    if (!settled) return;
    this.#forget(delivery);
    if (this.#partial?.delivery !== delivery) this.#events.settled(delivery);
  }

  override heard(flow: Flow): void {
    this.heardMore(flow);
    this.incoming.heard(flow);
    this.available = flow.available === ABSENT ? null : flow.available;
    if (this.attached) this.#events.senderFlow(this);
  }

  override tell(flow: Flow): void {
    flow.handle = this.handle;
    flow.available = ABSENT;
    this.incoming.tell(flow);
  }

  override reopened(): void {
    // Nothing that a receiver says waits for the window of transfers.
  }

  override clear(): void {
    this.#dropPartial();
    for (const delivery of this.unsettled) this.#forget(delivery);
  }

  protected override initial(): AttachOptions {
    return {};
  }

  protected override begun(): void {
    this.incoming.begin(this.remote?.initialDeliveryCount ?? 0);
    if (this.credit > 0) this.host.flowChanged(this);
  }

  #give(credit: number, draining: boolean): void {
    this.incoming.give(credit, draining);
    if (this.attached) this.host.flowChanged(this);
  }

  #first(transfer: Transfer, bytes: Uint8Array, start: number, end: number): void {
    const { deliveryId, tagStart } = transfer;
    if (deliveryId === ABSENT || tagStart === ABSENT) {
      throw new WireFailure(
        CONDITION.invalidField,
        "Cannot take a transfer: the first of a delivery has no id or no tag",
      );
    }
    if (!this.incoming.take()) {
      throw new LinkFailure(CONDITION.transferLimitExceeded, "Cannot take a message: the link has no credit");
    }
    if (transfer.aborted) return;
    const delivery = new IncomingDelivery(this, deliveryId, transfer.settled ?? false);
    delivery.tagBytes = bytes;
    delivery.tagStart = tagStart;
    delivery.tagEnd = transfer.tagEnd;
    if (transfer.messageFormat > 0) delivery.messageFormat = transfer.messageFormat;
    delivery.resume = transfer.resume;
    delivery.outgoingState = transfer.state;
    const mode = transfer.rcvSettleMode === ABSENT ? this.local?.rcvSettleMode : transfer.rcvSettleMode;
    delivery.settlesSecond = mode === RECEIVER_SETTLES.second;
    if (!delivery.settled) {
      this.unsettled.add(delivery);
      this.host.received.add(delivery);
    }
    if (transfer.more) {
      delivery.tagBytes = delivery.tag.slice();
      delivery.tagStart = 0;
      delivery.tagEnd = delivery.tagBytes.length;
      const message = new PartialMessage();
      this.#partial = { delivery, message };
      return this.#append(message, bytes, start, end);
    }
    this.#requireSize(end - start);
    this.#deliver(delivery, bytes.subarray(start, end));
  }

  #deliver(delivery: IncomingDelivery, message: Uint8Array): void {
    delivery.message = message;
    this.#events.delivered(delivery);
    delivery.message = NOTHING;
    delivery.tagBytes = NOTHING;
  }

  #append(message: PartialMessage, bytes: Uint8Array, start: number, end: number): void {
    this.#requireSize(message.length + (end - start));
    if (!this.host.partials.take(end - start)) {
      throw new LinkFailure(CONDITION.resourceLimitExceeded, "Cannot take so much of unfinished messages");
    }
    message.add(bytes, start, end);
  }

  #dropPartial(): void {
    if (this.#partial !== null) this.host.partials.give(this.#partial.message.length);
    this.#partial = null;
  }

  #requireSize(size: number): void {
    const max = this.local?.maxMessageSize || Infinity;
    if (size > max) {
      throw new LinkFailure(
        CONDITION.messageSizeExceeded,
        `Cannot take a message of ${size} bytes or more, wanted at most ${max} (max-message-size)`,
      );
    }
  }

  #forget(delivery: IncomingDelivery): void {
    if (delivery.settled) return;
    delivery.settled = true;
    this.unsettled.delete(delivery);
    this.host.received.delete(delivery.id);
  }
}
