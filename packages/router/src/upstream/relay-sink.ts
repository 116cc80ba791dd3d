import type { StallReason } from "@datawire/protocol";
import type { IncomingDelivery } from "@datawire/amqp";
import type { Incoming, Room, Sink, Verdict } from "../engine/ports.ts";
import type { NearSender } from "./near.ts";
import type { ThroughSender } from "./through-sender.ts";

/** Messages that wait for the upstream, beyond which the relay takes no more for it. */
const PARKED_MAX = 200;

/** What stands for a client's link where a relay sends to an upstream: messages have their outcomes, and there is no credit. */
export class RelayNear implements NearSender {
  readonly credit = 0;
  readonly draining = false;
  readonly unsettled = { size: 0 };
  readonly remote = null;
  state: "asked" | "attached" | "detached" = "asked";
  readonly room: Room;

  /** @param room for what waits for the upstream. */
  constructor(room: Room) {
    this.room = room;
  }

  setCredit(): void {}

  drainCredit(): void {}

  accept(): void {
    this.state = "attached";
  }

  refuse(): void {
    this.state = "detached";
  }

  detach(): void {
    this.state = "detached";
  }
}

/** Where a relay hands in messages for an address of an upstream. */
export class RelaySink implements Sink<IncomingDelivery> {
  readonly name: string;
  readonly wantsIds = false;
  readonly #near: RelayNear;
  readonly #through: ThroughSender;

  constructor(near: RelayNear, through: ThroughSender) {
    this.name = through.name;
    this.#near = near;
    this.#through = through;
  }

  get isClosed(): boolean {
    const { isThrough, parked } = this.#through;
    return (this.#near.state === "attached" && !isThrough) || parked >= PARKED_MAX;
  }

  get reason(): StallReason | null {
    return this.#through.whyWaits;
  }

  get isGone(): boolean {
    return this.#near.state === "detached";
  }

  offer(_: Incoming, delivery: IncomingDelivery): Verdict {
    if (this.isGone) return { outcome: "released" };
    this.#through.delivered(delivery);
    return null;
  }

  refresh(): void {}

  detach(): void {
    this.#through.detached(true);
  }
}
