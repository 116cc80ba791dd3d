import {
  type AmqpError,
  type AttachOptions,
  type IncomingDelivery,
  isOutcome,
  type LinkEnd,
  type OutgoingDelivery,
  RELEASED,
  Sections,
  type SendOptions,
  type Sender,
  type Session,
} from "@datawire/amqp";
import { MESSAGE_OVERHEAD_BYTES } from "../engine/ports.ts";
import { lifetimeOf } from "../queue/delivery.ts";
import { type NearSender, wantedOf } from "./near.ts";
import { type ThroughDeps, ThroughLink } from "./through-link.ts";

/** Messages that a client may have on their way: sent by it, and not settled yet. */
const WINDOW = 5_000;
/** What they may come to, more or less: how large the next ones are, nobody knows before. */
const WINDOW_BYTES = 8 * 2 ** 20;

const TOO_LATE: AmqpError = {
  condition: "amqp:precondition-failed",
  description: "Cannot pass a message on: its time was over before the upstream took it",
};

const NO_ROOM: AmqpError = {
  condition: "amqp:resource-limit-exceeded",
  description: "Cannot relay a message: what waits for upstreams and consumers already takes all room",
};

/** A message that waits until the upstream takes it. */
interface Parked {
  readonly delivery: IncomingDelivery;
  readonly message: Uint8Array;
  /** Ends what ends it when its time is over. */
  cancel(): void;
}

/** One for all: each message is done with before the next comes. */
const sections = new Sections();

/** A link on which a client sends to an address of an upstream; what that says of messages is what the client hears. */
export class ThroughSender extends ThroughLink<Sender> {
  readonly #near: NearSender;
  readonly #linkName: string;
  /** In order; empty nearly always. */
  readonly #parked: Parked[] = [];
  #meanBytes = 0;

  constructor(near: NearSender, linkName: string, deps: ThroughDeps) {
    super(near, deps);
    this.#near = near;
    this.#linkName = linkName;
  }

  /** How many messages wait. */
  get parked(): number {
    return this.#parked.length;
  }

  /** The client sent a message. */
  delivered(delivery: IncomingDelivery): void {
    const { message } = delivery;
    this.deps.counters.in++;
    this.#meanBytes += (message.length - this.#meanBytes) / 16;
    const isOpen = this.isThrough && this.#parked.length === 0;
    if (!isOpen || !this.#send(delivery, message)) {
      // What came in one piece with others would keep them all in memory.
      if (this.far === null && this.isAnswered) delivery.release();
      else this.#park(delivery, message);
    }
    this.#refresh();
  }

  /** The client settled a message itself: before it heard of it, or after, where it settles second. */
  peerSettled(delivery: IncomingDelivery): void {
    (delivery.context as OutgoingDelivery | null)?.settle();
  }

  /** The client has given back its credit, as it was asked to. */
  peerFlow(): void {
    if (this.far?.drain === true && !this.#near.draining && this.#parked.length === 0) this.far.drained();
  }

  override farFlow(): void {
    for (let [first] = this.#parked; first !== undefined; [first] = this.#parked) {
      if (!this.#send(first.delivery, first.message)) break;
      this.#parked.shift();
      this.#unparked(first);
    }
    this.#refresh();
    const { far } = this;
    if (far?.drain !== true || far.credit === 0 || this.#parked.length > 0) return;
    if (this.#near.credit === 0) far.drained();
    else if (!this.#near.draining) this.#near.drainCredit();
  }

  override farOutcome(far: OutgoingDelivery): void {
    const near = far.context as IncomingDelivery | null;
    if (near === null || !(far.settled || isOutcome(far.state))) return;
    far.context = null;
    // Settled without a word is no acceptance.
    near.settle(far.state ?? RELEASED);
    if (near.settled) {
      near.context = null;
      far.settle();
    }
    this.#refresh();
  }

  override farDelivered(): void {}

  override farSettled(): void {}

  override farSenderFlow(): void {}

  protected override ask(session: Session): Sender {
    const wanted = wantedOf(this.#near);
    const target = { ...wanted.target, address: this.deps.farAddress, type: "target" as const };
    return session.attachSender(this.#linkName, { ...wanted, target });
  }

  protected override answer(): AttachOptions {
    const { rcvSettleMode, target, maxMessageSize = 0, offeredCapabilities, properties } = this.far?.remote ?? {};
    const address = this.#near.remote?.target;
    const own = this.deps.messageBytesMax;
    return {
      target: {
        ...target,
        ...(address?.type !== "coordinator" && { address: address?.address ?? "" }),
        type: "target",
      },
      maxMessageSize: maxMessageSize === 0 ? own : Math.min(own, maxMessageSize),
      rcvSettleMode: rcvSettleMode ?? 0,
      ...(offeredCapabilities !== undefined && { offeredCapabilities }),
      ...(properties !== undefined && { properties }),
    };
  }

  protected override begun(): void {
    this.farFlow();
  }

  protected override waits(): void {
    this.#releaseParked();
  }

  protected override lost(): void {
    for (const { context } of this.far?.unsettled ?? []) {
      // The upstream may have it, or not: to be sent again, and for the receiver to count.
      (context as IncomingDelivery | null)?.modify({ deliveryFailed: true });
      if (context !== null) (context as IncomingDelivery).context = null;
    }
    this.#releaseParked();
    this.#near.setCredit(0);
  }

  protected override dropped(): void {
    this.#takeParked();
  }

  protected override ended({ error }: LinkEnd): void {
    if (error === null) return this.#releaseParked();
    for (const { delivery } of this.#takeParked()) delivery.reject(error);
  }

  #releaseParked(): void {
    for (const { delivery } of this.#takeParked()) delivery.release();
  }

  #park(delivery: IncomingDelivery, message: Uint8Array): void {
    if (this.#near.room?.take(message.length + MESSAGE_OVERHEAD_BYTES) === false) return delivery.reject(NO_ROOM);
    const parked: Parked = { delivery, message: Uint8Array.from(message), cancel() {} };
    this.#parked.push(parked);
    const { clock } = this.deps;
    const lifetimeMs = lifetimeOf(timesOf(message), clock.nowMs());
    if (lifetimeMs !== 0) parked.cancel = clock.setTimer(lifetimeMs, () => this.#expired(parked));
  }

  /** Who sent it is told: where it is now, nobody else says what became of it. */
  #expired(parked: Parked): void {
    this.#parked.splice(this.#parked.indexOf(parked), 1);
    this.#unparked(parked);
    parked.delivery.reject(TOO_LATE);
    this.#refresh();
  }

  #unparked({ message, cancel }: Parked): void {
    cancel();
    this.#near.room?.give(message.length + MESSAGE_OVERHEAD_BYTES);
  }

  #takeParked(): Parked[] {
    const parked = this.#parked.splice(0);
    for (const one of parked) this.#unparked(one);
    return parked;
  }

  /** @returns false where it has to wait. */
  #send(delivery: IncomingDelivery, message: Uint8Array): boolean {
    const { far } = this;
    if (far === null || !far.canSend()) return false;
    const refusal = this.#refusal(delivery, message);
    if (refusal !== null) {
      delivery.reject(refusal);
      return true;
    }
    const sent = this.#sendNow(far, message, { settled: delivery.settled, messageFormat: delivery.messageFormat });
    if (sent === null) return false;
    if (sent.settled) delivery.accept();
    else {
      sent.context = delivery;
      delivery.context = sent;
    }
    return true;
  }

  #sendNow(far: Sender, message: Uint8Array, options: SendOptions): OutgoingDelivery | null {
    const annotations =
      this.connection?.profile?.takesDeliveryAnnotations === false ? sections.startOf("deliveryAnnotations") : -1;
    if (annotations === -1) return far.send(message, options);
    // They are for the next peer alone, which is the router.
    return far.send(message.subarray(sections.passedOn), { ...options, head: message.subarray(0, annotations) });
  }

  #refusal({ messageFormat }: IncomingDelivery, message: Uint8Array): AmqpError | null {
    const { far, connection } = this;
    if (far !== null && message.length > far.messageBytesMax) {
      const description = `Cannot send a message of ${message.length} bytes: the upstream takes ${far.messageBytesMax}`;
      return { condition: "amqp:link:message-size-exceeded", description };
    }
    if (messageFormat !== 0) return null;
    // A broker may lose more than the message over what is none.
    if (!sections.scan(message))
      return { condition: "amqp:decode-error", description: sections.why?.message ?? "Cannot read the message" };
    if (connection?.profile?.keepsSections === false && sections.bodySections > 1) {
      const { product } = connection.profile;
      const description = `Cannot send a body of ${sections.bodySections} sections to ${product}: it gives them out in another order`;
      return { condition: "amqp:not-implemented", description };
    }
    return null;
  }

  #refresh(): void {
    const near = this.#near;
    // What it had is used up, or given back.
    if (this.far?.drain === true && near.draining) return;
    const allowed = this.#allowed();
    const { credit } = near;
    if (allowed < credit || credit * 2 < allowed || (credit === 0 && allowed > 0)) near.setCredit(allowed);
  }

  #allowed(): number {
    const { far } = this;
    if (far === null || !far.attached || this.#parked.length > 0) return 0;
    const window = Math.max(1, Math.min(WINDOW, Math.floor(WINDOW_BYTES / Math.max(1, this.#meanBytes))));
    return Math.max(0, Math.min(far.credit, window - this.#near.unsettled.size));
  }
}

/** How long a message has; one that cannot be read has no end, and is refused when it is its turn. */
function timesOf(message: Uint8Array): Parameters<typeof lifetimeOf>[0] {
  if (!sections.scan(message)) return { ttlMs: 0 };
  const ttlMs = Math.max(0, sections.ttl);
  try {
    const expiresAtMs = sections.absoluteExpiryMs();
    return expiresAtMs === null ? { ttlMs } : { ttlMs, expiresAtMs };
  } catch {
    return { ttlMs };
  }
}
