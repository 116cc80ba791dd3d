import {
  type AttachOptions,
  type DeliveryState,
  type IncomingDelivery,
  isOutcome,
  type OutgoingDelivery,
  type Receiver,
  RECEIVER_SETTLES,
  RELEASED,
  type Sender,
  type Session,
  type Source,
} from "@datawire/amqp";
import { wantedOf } from "./near.ts";
import { type ThroughDeps, ThroughLink } from "./through-link.ts";

/** After a drain nothing has to come for so long until it is answered, where the upstream answers none. */
const QUIET_MS = 200;
/** An upstream that answers drains has so long. */
const DRAIN_MS_MAX = 2_000;

/** A message that waits until the client takes it. */
interface Parked {
  readonly delivery: IncomingDelivery;
  readonly message: Uint8Array;
}

/** A link on which a client receives from an address of an upstream; what it says of messages is what that hears. */
export class ThroughReceiver extends ThroughLink<Receiver> {
  readonly #near: Sender;
  /** What the client wants to receive from, also where it has not said so itself. */
  readonly #source: Source;
  /** Messages that came when the client could not take them; no more than it had given credit for. */
  #parked: Parked[] = [];
  #cancelDrain: (() => void) | null = null;

  constructor(near: Sender, source: Source, deps: ThroughDeps) {
    super(near, deps);
    this.#near = near;
    this.#source = source;
  }

  /** Messages that the client has and has not settled. */
  get unsettled(): number {
    return this.#near.unsettled.size;
  }

  /** The client gave credit, took it back, wants a drain, or takes messages again. */
  flow(): void {
    this.#deliverParked();
    const { far } = this;
    const near = this.#near;
    if (near.drain && near.credit > 0) return this.#drain();
    this.#endDrain();
    if (far !== null) far.setCredit(Math.max(0, near.credit - this.#parked.length));
  }

  /** The client said what became of a message. */
  outcome(near: OutgoingDelivery): void {
    const far = near.context as IncomingDelivery | null;
    if (far === null || !(near.settled || isOutcome(near.state))) return;
    near.context = null;
    if (far.settled) {
      // It came on a link that was lost: the upstream gives it to somebody again.
      return near.settle(RELEASED);
    }
    const state = this.#stateFor(near.state ?? this.#near.remote?.source?.defaultOutcome ?? RELEASED);
    const waits = !near.settled && this.#settlesSecond;
    far.settlesSecond = waits;
    far.settle(state);
    if (waits) far.context = near;
    else near.settle();
  }

  override farDelivered(delivery: IncomingDelivery): void {
    this.deps.counters.out++;
    if (this.#parked.length === 0 && this.#send(delivery, delivery.message)) {
      if (this.#near.drain && this.#cancelDrain !== null) this.#drain();
      return;
    }
    const message = Uint8Array.from(delivery.message);
    this.#parked.push({ delivery, message });
    this.deps.held(message.length);
  }

  /** The upstream has what the client said. */
  override farSettled(delivery: IncomingDelivery): void {
    const near = delivery.context as OutgoingDelivery | null;
    delivery.context = null;
    near?.settle(delivery.outcome);
  }

  override farSenderFlow(): void {
    const { far } = this;
    if (far === null) return;
    this.#near.available = far.available;
    if (this.#cancelDrain !== null && !far.draining && far.credit === 0) this.#drained();
  }

  override farFlow(): void {}

  override farOutcome(): void {}

  protected override ask(session: Session): Receiver {
    const wanted = wantedOf(this.#near);
    const own = this.deps.messageBytesMax;
    const maxMessageSize = wanted.maxMessageSize ? Math.min(own, wanted.maxMessageSize) : own;
    const source = { ...this.#source, address: this.deps.farAddress };
    // Where the upstream settles nothing second, the client hears from the router when its word has been handed on.
    const second = this.connection?.profile?.settlesSecond === false ? { rcvSettleMode: RECEIVER_SETTLES.first } : {};
    const far = session.attachReceiver(this.#near.name, { ...wanted, ...second, source, maxMessageSize });
    far.incoming.slack = this.connection?.profile?.creditSlack ?? 0;
    if (!this.#near.drain) far.setCredit(this.#near.credit);
    return far;
  }

  protected override answer(): AttachOptions {
    const { sndSettleMode, source, offeredCapabilities, properties } = this.far?.remote ?? {};
    const { address, outcomes } = this.#source;
    return {
      source: {
        ...source,
        ...(address !== undefined && { address }),
        // What it does not know of them is told in words that it does.
        ...(outcomes !== undefined && { outcomes }),
      },
      ...(sndSettleMode !== undefined && { sndSettleMode }),
      ...(offeredCapabilities !== undefined && { offeredCapabilities }),
      ...(properties !== undefined && { properties }),
    };
  }

  protected override begun(): void {
    this.flow();
  }

  protected override waits(): void {
    this.flow();
  }

  protected override lost(): void {
    this.#forgetParked();
    if (this.#cancelDrain !== null) this.#drained();
  }

  protected override dropped(): void {
    this.#endDrain();
    this.#forgetParked();
  }

  get #settlesSecond(): boolean {
    return (
      this.far?.local?.rcvSettleMode === RECEIVER_SETTLES.second &&
      this.far?.remote?.rcvSettleMode === RECEIVER_SETTLES.second
    );
  }

  /** @returns false where the client cannot take it now. */
  #send(delivery: IncomingDelivery, message: Uint8Array): boolean {
    const { settled, messageFormat } = delivery;
    const sent = this.#near.send(message, { settled, messageFormat });
    if (sent === null) return false;
    if (sent.settled) delivery.accept();
    else sent.context = delivery;
    return true;
  }

  #deliverParked(): void {
    for (let [first] = this.#parked; first !== undefined; [first] = this.#parked) {
      if (!this.#send(first.delivery, first.message)) return;
      this.#parked.shift();
      this.deps.held(-first.message.length);
    }
  }

  #forgetParked(): void {
    for (const { message } of this.#parked.splice(0)) this.deps.held(-message.length);
  }

  #drain(): void {
    const { far } = this;
    if (this.#near.credit === 0) return this.#drained();
    if (far === null || !far.attached) {
      // Until the answer to its attach is there, nobody knows what there is.
      if (this.isAnswered) this.#drained();
      return;
    }
    const isAsked = this.connection?.profile?.drains === true;
    const credit = Math.max(0, this.#near.credit - this.#parked.length);
    if (credit === 0) return;
    if (!isAsked) far.setCredit(credit);
    else if (!far.draining) far.drainCredit(credit);
    this.#cancelDrain?.();
    this.#cancelDrain = this.deps.clock.setTimer(isAsked ? DRAIN_MS_MAX : QUIET_MS, () => {
      // What is on its way all the same waits here for the client's next credit.
      far.setCredit(0);
      this.#drained();
    });
  }

  #drained(): void {
    this.#endDrain();
    // With messages that wait, the client's connection is full, and there will be another flow.
    if (this.#parked.length === 0) this.#near.drained();
  }

  #endDrain(): void {
    this.#cancelDrain?.();
    this.#cancelDrain = null;
  }

  /** An outcome in the words that the upstream has: RabbitMQ 4 makes of `modified` what is made of it here for RabbitMQ 3. */
  #stateFor(state: DeliveryState): DeliveryState {
    const known = this.far?.remote?.source?.outcomes;
    if (state.type !== "modified" || known === undefined || known.includes("amqp:modified:list")) return state;
    return state.undeliverableHere === true && known.includes("amqp:rejected:list") ? { type: "rejected" } : RELEASED;
  }
}
