import type { StallReason } from "@datawire/protocol";
import { type DeliveryState, isOutcome, type OutgoingDelivery, type Sender } from "@datawire/amqp";
import type { Broker } from "../engine/broker.ts";
import type { HeldBack, Member, Source, SourcePort, SourceRequest } from "../engine/ports.ts";
import type { Condition } from "../engine/refused.ts";
import type { Delivery, Outcome } from "../queue/delivery.ts";
import { toOutgoing } from "./outgoing-message.ts";

/** How a peer receives. */
export interface ReceiverOptions {
  readonly filter: SourcePort["filter"];
  /** Whether it is sent without being asked what became of it. */
  readonly isPresettled: boolean;
  readonly unsettledMax: number;
  /** Which instance of a service the peer says that it is; null for none. */
  readonly member: Member | null;
  /** Whether it comes from this machine. */
  readonly isLocal: boolean;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Called when it has as much unsettled as it may. */
  readonly full?: () => void;
}

/** A link on which a peer receives from one address. */
export class ReceiverLink implements SourcePort {
  readonly name: string;
  readonly filter: SourcePort["filter"];
  readonly #sender: Sender;
  readonly #options: ReceiverOptions;
  readonly #source: Source;
  readonly #isTopic: boolean;
  /** Messages that are sent and not settled. */
  #unsettled = 0;
  /** Whether it asked for less than there is, and ends. */
  #isOver = false;

  constructor(sender: Sender, broker: Broker, request: SourceRequest, options: ReceiverOptions) {
    this.#sender = sender;
    this.#options = options;
    this.name = request.name;
    this.filter = options.filter;
    this.#source = broker.openSource(request, this);
    this.#isTopic = this.#source.isTopic;
  }

  get member(): Member | null {
    return this.#options.member;
  }

  get isLocal(): boolean {
    return this.#options.isLocal;
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  get credit(): number {
    return this.#sender.credit;
  }

  get heldBackBy(): HeldBack | null {
    if (this.#source.isHeld === true) return "held";
    if (this.#source.isBurying === true) return "disk-full";
    if (this.#unsettled >= this.#options.unsettledMax) return "unsettled-limit";
    return this.#sender.isHeldBack ? "window" : null;
  }

  /** Why the peer gets none of the waiting messages; null where none wait, or it gets some. */
  get whyWaits(): StallReason | null {
    const { lag, heldBackBy } = this;
    if (lag === 0) return null;
    // Where nothing is kept, nobody counts what waits at senders.
    if (lag === null) return heldBackBy === "held" ? heldBackBy : null;
    return this.credit === 0 ? "no-credit" : heldBackBy;
  }

  get lag(): number | null {
    return this.#source.lag;
  }

  wants(): boolean {
    return this.#unsettled < this.#options.unsettledMax && !this.#isOver && this.#sender.canSend();
  }

  deliver(delivery: Delivery): void {
    const { head, rest } = toOutgoing(delivery, this.#isTopic);
    const bytes = rest.length + (head?.length ?? 0);
    if (bytes > this.#sender.messageBytesMax) return this.#refuse(delivery.sequence, bytes);
    const { isPresettled } = this.#options;
    const sent = this.#sender.send(
      rest,
      head === undefined ? { settled: isPresettled } : { settled: isPresettled, head },
    );
    // It could be sent a moment ago, and nothing happened since.
    if (sent === null) throw new Error("Cannot send a message: the link takes none");
    if (sent.settled) return this.#source.settle(delivery.sequence, ACCEPTED);
    sent.context = delivery.sequence;
    sent.atMs = this.#options.nowMs();
    if (++this.#unsettled === this.#options.unsettledMax) this.#options.full?.();
  }

  /** Ends the link at a message that is larger than its peer accepts; the message stays as it was. */
  #refuse(sequence: number, bytes: number): void {
    this.#isOver = true;
    // Whoever gives messages is in the middle of it.
    queueMicrotask(() => {
      this.#source.settle(sequence, { outcome: "released" });
      const description = `Cannot send a message of ${bytes} bytes: the link takes ${this.#sender.messageBytesMax} (max-message-size)`;
      this.#sender.detach({ closed: false, error: { condition: "amqp:link:message-size-exceeded", description } });
    });
  }

  exhausted(): void {
    if (this.#sender.drain) this.#sender.drained();
  }

  gone(condition: Condition, description: string): void {
    this.#sender.detach({ error: { condition, description } });
  }

  stolen(description: string): void {
    this.#sender.detach({ closed: false, error: { condition: "amqp:link:stolen", description } });
  }

  /** The peer gave credit, or there is room again. */
  flow(): void {
    this.#source.pump();
    // What it holds may keep it from more: that is no reason to leave a drain without its answer.
    const isFull = this.#unsettled >= this.#options.unsettledMax;
    if (this.#sender.drain && (this.#sender.credit === 0 || isFull)) this.#sender.drained();
  }

  /** The peer said what became of a message. */
  outcome(delivery: OutgoingDelivery): void {
    const sequence = delivery.context;
    const { state, settled } = delivery;
    if (typeof sequence !== "number" || (!settled && !isOutcome(state))) return;
    delivery.context = null;
    this.#unsettled--;
    const outcome = outcomeOf(state ?? this.#sender.remote?.source?.defaultOutcome ?? null);
    this.#source.settle(sequence, outcome, settled ? undefined : () => delivery.settle());
    // It may have been what kept others back.
    if (this.#unsettled === this.#options.unsettledMax - 1) this.#source.pump();
  }

  detached(isClosed: boolean): void {
    this.#source.detach(isClosed);
  }
}

const ACCEPTED: Outcome = { outcome: "accepted" };

/** What a peer says of a message; settled without a word, it goes back. */
function outcomeOf(state: DeliveryState | null): Outcome {
  switch (state?.type) {
    case "accepted":
      return ACCEPTED;
    case "rejected": {
      const { error } = state;
      const reason = error?.description ?? error?.condition ?? "rejected";
      return { outcome: "rejected", reason, told: state, ...(error !== undefined && { condition: error.condition }) };
    }
    case "modified":
      return {
        outcome: "modified",
        failed: state.deliveryFailed ?? false,
        undeliverableHere: state.undeliverableHere ?? false,
        told: state,
      };
    default:
      return { outcome: "released" };
  }
}
