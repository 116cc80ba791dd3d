import {
  type Connection,
  decodeMessage,
  type IncomingDelivery,
  RECEIVER_SETTLES,
  type Receiver,
  textOf,
  Typed,
  WireFailure,
} from "@datawire/amqp";
import type { Clock } from "@datawire/runtime";
import type { SeededChance } from "../environment/chance.ts";
import type { Role } from "./client.ts";
import type { Ledger } from "./ledger.ts";

interface ConsumerConfig {
  readonly name: string;
  readonly address: string;
  /** By which the ledger knows what it takes from. */
  readonly place: string;
  /** Of a topic: whether the router keeps what it has not read. */
  readonly isDurable: boolean;
  /** Whether nobody else takes from there. */
  readonly isAlone: boolean;
  /** Whether it takes dead letters. */
  readonly takesDead: boolean;
}

interface ConsumerDeps {
  readonly ledger: Ledger;
  readonly chance: SeededChance;
  readonly clock: Clock;
  /** Whether all is to come to its end: everything is accepted. */
  readonly isEnding: () => boolean;
}

/** Takes messages, says this or that of them, and notes what it was given and what was confirmed. */
export class Consumer implements Role {
  readonly #config: ConsumerConfig;
  readonly #deps: ConsumerDeps;
  readonly #credit: number;
  readonly #settlesSecond: boolean;
  #link: Receiver | null = null;
  /** Held back until the end. */
  #held: IncomingDelivery[] = [];

  constructor(config: ConsumerConfig, deps: ConsumerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#credit = deps.chance.between(1, 20);
    this.#settlesSecond = deps.chance.between(0, 3) > 0;
  }

  isAttached = false;

  begin(connection: Connection): void {
    const { name, address, isDurable } = this.#config;
    const link = connection.begin().attachReceiver(name, {
      source: { address, ...(isDurable && { durable: 2, expiryPolicy: "never" as const }) },
      rcvSettleMode: this.#settlesSecond ? RECEIVER_SETTLES.second : RECEIVER_SETTLES.first,
    });
    link.setCredit(this.#credit);
    this.#link = link;
  }

  attached(): void {
    this.isAttached = true;
  }

  lost(): void {
    this.#link = null;
    this.#held = [];
  }

  delivered(delivery: IncomingDelivery): void {
    const { address, place, isAlone, takesDead } = this.#config;
    const { ledger, chance, clock } = this.#deps;
    const message = decodeMessage(Uint8Array.from(delivery.message));
    if (message instanceof WireFailure) throw message;
    const body = message.body?.type === "value" ? (textOf(message.body.value) ?? "") : "";
    const annotation = message.deliveryAnnotations?.get("x-opt-datawire-offset");
    const offset =
      annotation instanceof Typed ? Number(annotation.value) : annotation === undefined ? null : Number(annotation);
    delivery.context = body;
    if (takesDead) ledger.died(body);
    else ledger.delivered(place, { address, body, offset, isAlone });
    clock.setTimer(chance.between(0, 100), () => this.#say(delivery));
    delivery.receiver.keepCredit(this.#credit);
  }

  settled(delivery: IncomingDelivery): void {
    if (delivery.outcome?.type !== "accepted" || this.#config.takesDead) return;
    this.#deps.ledger.confirmed(this.#config.place, delivery.context as string);
  }

  detached(_link: Receiver, condition: string | null): void {
    const isOurs = condition === null || condition === "amqp:link:stolen";
    if (!isOurs) throw new Error(`The router ended the link of ${this.#config.name}: ${condition}`);
  }

  /** What was held back is let go. */
  end(): void {
    for (const delivery of this.#held.splice(0)) delivery.accept();
  }

  #say(delivery: IncomingDelivery): void {
    if (delivery.receiver !== this.#link || delivery.settled) return;
    const luck = this.#deps.chance.between(0, 19);
    if (this.#deps.isEnding() || this.#config.takesDead || luck < 13) delivery.accept();
    else if (luck < 15) delivery.release();
    else if (luck < 17) delivery.modify({ deliveryFailed: true });
    else if (luck < 18) delivery.reject({ condition: "app:no" });
    else this.#held.push(delivery);
  }
}
