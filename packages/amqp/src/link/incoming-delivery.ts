import { ACCEPTED, type DeliveryState, RELEASED } from "../frames/delivery-state.ts";
import type { AmqpError } from "../frames/error.ts";
import type { Fields } from "../frames/fields.ts";
import type { Receiver } from "./receiver.ts";

const NOTHING = new Uint8Array(0);

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
