import {
  Connection,
  type ConnectionEvents,
  type IncomingDelivery,
  type OutgoingDelivery,
  type Receiver,
  type Sender,
  QUIET_EVENTS,
} from "@datawire/amqp";
import type { Clock } from "@datawire/runtime";
import type { SeededChance } from "../environment/chance.ts";
import type { Cable } from "./cable.ts";

/** What clients work with. */
export interface ClientDeps {
  readonly clock: Clock;
  readonly chance: SeededChance;
  /** A cable to the router; null while it is not there. */
  readonly connect: (client: string) => Cable | null;
}

/** What a client does on its connection. */
export interface Role {
  /** The connection is open: attach links. */
  begin(connection: Connection): void;
  /** The connection is lost. */
  lost(): void;
  attached?(link: Sender | Receiver): void;
  flow?(sender: Sender): void;
  outcome?(delivery: OutgoingDelivery): void;
  delivered?(delivery: IncomingDelivery): void;
  settled?(delivery: IncomingDelivery): void;
  /** The router ended a link; what it says is for the test where it should not have. */
  detached?(link: Sender | Receiver, condition: string | null): void;
}

/** A client that connects for ever, with one role. */
export class Client {
  readonly name: string;
  readonly #deps: ClientDeps;
  readonly #role: Role;
  #cable: Cable | null = null;

  constructor(name: string, role: Role, deps: ClientDeps) {
    this.name = name;
    this.#role = role;
    this.#deps = deps;
    this.#again();
  }

  get cable(): Cable | null {
    return this.#cable;
  }

  #again(): void {
    const { clock, chance } = this.#deps;
    clock.setTimer(chance.between(1, 200), () => this.#connect());
  }

  #connect(): void {
    const { clock } = this.#deps;
    const cable = this.#deps.connect(this.name);
    if (cable === null) return this.#again();
    this.#cable = cable;
    const role = this.#role;
    const nothing = (): void => {};
    const write = (): void => {
      const bytes = connection.takeOutput(clock.monotonicMs());
      if (bytes !== null && !cable.client.write(bytes)) connection.setCongested(true);
      if (connection.done) cable.client.end();
    };
    const events: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () => void setImmediate(write),
      opened: () => role.begin(connection),
      linkAsked: (link) => link.refuse({ condition: "amqp:not-allowed" }),
      linkAttached: (link) => role.attached?.(link),
      linkDetached(link, { error }) {
        if (!connection.done) role.detached?.(link, error?.condition ?? null);
      },
      flow: (sender) => role.flow?.(sender),
      outcome: (delivery) => role.outcome?.(delivery),
      delivered: (delivery) => role.delivered?.(delivery),
      settled: (delivery) => role.settled?.(delivery),
    };
    const connection: Connection = new Connection(
      { role: "client", open: { containerId: this.name } },
      events,
      clock.monotonicMs(),
    );
    let cancel = nothing;
    const tick = (): void => {
      cancel();
      const dueMs = connection.tick(clock.monotonicMs());
      if (connection.done) return write();
      if (dueMs !== null) cancel = clock.setTimer(Math.max(1, dueMs - clock.monotonicMs()), tick);
    };
    cable.client.on("data", (bytes: Uint8Array) => {
      connection.receive(bytes, clock.monotonicMs());
      tick();
    });
    cable.client.on("drain", () => connection.setCongested(false));
    cable.client.on("close", () => {
      cancel();
      connection.disconnected();
      if (this.#cable !== cable) return;
      this.#cable = null;
      role.lost();
      this.#again();
    });
    connection.start();
    tick();
  }
}
