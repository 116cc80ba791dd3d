import { type Connection, encodeMessage, type OutgoingDelivery, type Sender, Typed, type Value } from "@datawire/amqp";
import type { SeededChance } from "../environment/chance.ts";
import type { Role } from "./client.ts";
import type { Ledger } from "./ledger.ts";

interface ProducerConfig {
  readonly name: string;
  readonly address: string;
  /** Whether it sends again what it heard nothing of, in the same order, with numbers that the router knows it by. */
  readonly isKeyed: boolean;
  readonly count: number;
}

/** Sends numbered messages, and notes which were accepted. */
export class Producer implements Role {
  readonly #config: ProducerConfig;
  readonly #ledger: Ledger;
  readonly #chance: SeededChance;
  #link: Sender | null = null;
  #next = 0;
  /** Sent and not heard of, in order. */
  #unheard: string[] = [];
  #again: string[] = [];

  constructor(config: ProducerConfig, ledger: Ledger, chance: SeededChance) {
    this.#config = config;
    this.#ledger = ledger;
    this.#chance = chance;
  }

  get isDone(): boolean {
    return this.#next >= this.#config.count && this.#unheard.length === 0 && this.#again.length === 0;
  }

  begin(connection: Connection): void {
    this.#link = connection.begin().attachSender(this.#config.name, { target: { address: this.#config.address } });
  }

  lost(): void {
    this.#link = null;
    if (this.#config.isKeyed) this.#again = [...this.#unheard, ...this.#again];
    this.#unheard = [];
  }

  flow(): void {
    this.pump();
  }

  /** Sends a few, where it may. */
  pump(): void {
    const link = this.#link;
    for (let many = this.#chance.between(1, 6); many > 0 && link?.canSend() === true; many--) {
      const body = this.#again.shift() ?? this.#make();
      if (body === null) return;
      this.#ledger.sent(this.#config.address, body);
      const delivery = link.send(encodeMessage({ ...this.#keys(body), body: { type: "value", value: body } }));
      if (delivery === null) throw new Error("Cannot send a message: the link takes none");
      delivery.context = body;
      this.#unheard.push(body);
    }
  }

  outcome(delivery: OutgoingDelivery): void {
    const body = delivery.context as string;
    const state = delivery.state?.type;
    this.#unheard = this.#unheard.filter((one) => one !== body);
    if (state !== "accepted") throw new Error(`The router made ${state ?? "nothing"} of ${body}`);
    this.#ledger.accepted(this.#config.address, body);
    if (!delivery.settled) delivery.settle();
  }

  detached(_link: Sender, condition: string | null): void {
    if (condition !== null) throw new Error(`The router ended the link of ${this.#config.name}: ${condition}`);
  }

  #make(): string | null {
    const { name, count } = this.#config;
    if (this.#next >= count) return null;
    return `${name}:${this.#next++} ${"x".repeat(this.#chance.between(0, 300))}`;
  }

  #keys(body: string) {
    if (!this.#config.isKeyed) return {};
    const number = Number(body.split(" ", 1)[0]?.split(":")[1]);
    const keys = new Map<string, Value>([
      ["x-opt-datawire-producer", this.#config.name],
      ["x-opt-datawire-sequence", new Typed("ulong", BigInt(number))],
    ]);
    return { messageAnnotations: keys };
  }
}
