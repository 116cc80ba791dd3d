import type { StallReason } from "@datawire/protocol";
import type { AmqpError, DeliveryState, IncomingDelivery, Receiver } from "@datawire/amqp";
import type { Broker } from "../engine/broker.ts";
import type { Sink, SinkPort, Verdict } from "../engine/ports.ts";
import type { Condition } from "../engine/refused.ts";
import type { Outcome } from "../queue/delivery.ts";
import { readIncoming } from "./incoming-message.ts";

/** A link on which a peer sends to one address. */
export class SenderLink implements SinkPort<IncomingDelivery> {
  readonly name: string;
  readonly caller: string;
  readonly #receiver: Receiver;
  readonly #sink: Sink<IncomingDelivery>;

  constructor(
    receiver: Receiver,
    broker: Broker,
    address: { readonly name: string; readonly capability: "queue" | "topic" | null; readonly caller: string },
  ) {
    this.caller = address.caller;
    this.#receiver = receiver;
    this.name = address.name;
    this.#sink = broker.openSink(address.name, address.capability, this);
  }

  get credit(): number {
    return this.#receiver.credit;
  }

  /** Why the peer has no credit; null where it has. */
  get whyWaits(): StallReason | null {
    return this.#receiver.credit > 0 ? null : (this.#sink.reason ?? null);
  }

  setCredit(credit: number): void {
    this.#receiver.setCredit(credit);
  }

  accepted(deliveries: readonly IncomingDelivery[]): void {
    for (const delivery of deliveries) delivery.accept();
  }

  declined(delivery: IncomingDelivery, verdict: Exclude<Verdict, null>): void {
    decline(delivery, verdict);
  }

  settled(delivery: IncomingDelivery, outcome: Outcome): void {
    delivery.settle(stateOf(outcome));
  }

  gone(condition: Condition, description: string): void {
    this.#receiver.detach({ error: { condition, description } });
  }

  delivered(delivery: IncomingDelivery): void {
    take(this.#sink, delivery);
    this.#sink.refresh();
  }

  detached(): void {
    this.#sink.detach();
  }
}

/** Hands a message to an address; what speaks against it is told at once. */
export function take(sink: Sink<IncomingDelivery>, delivery: IncomingDelivery): void {
  if (delivery.messageFormat !== 0) {
    return delivery.reject({
      condition: "amqp:not-implemented",
      description: `Cannot take a message of format ${delivery.messageFormat}`,
    });
  }
  const message = readIncoming(delivery.message, sink.wantsIds);
  if ("malformed" in message)
    return delivery.reject({ condition: "amqp:decode-error", description: message.malformed });
  const verdict = sink.offer(message, delivery);
  if (verdict !== null) decline(delivery, verdict);
}

/** Tells a sender that its message is not taken. */
export function decline(delivery: IncomingDelivery, verdict: Exclude<Verdict, null>): void {
  if (verdict.outcome === "released") delivery.release();
  else delivery.reject({ condition: verdict.condition, description: verdict.description });
}

/** An outcome as it goes over the wire. */
export function stateOf(outcome: Outcome): DeliveryState {
  if ("told" in outcome && outcome.told !== undefined) return outcome.told;
  switch (outcome.outcome) {
    case "accepted":
    case "released":
      return { type: outcome.outcome };
    case "rejected": {
      const error: AmqpError = { condition: outcome.condition ?? "amqp:not-allowed", description: outcome.reason };
      return { type: "rejected", error };
    }
    case "modified":
      return { type: "modified", deliveryFailed: outcome.failed, undeliverableHere: outcome.undeliverableHere };
  }
}
