import { once } from "node:events";
import { Chance } from "@datawire/protocol/testing/chance";
import { noLog, systemClock } from "@datawire/runtime";
import rhea from "rhea";
import { type Access, OPEN_ACCESS } from "../../access/access.ts";
import { type AddressRule, AddressRules } from "../../address/rules.ts";
import { ShownTls } from "../../config/shown-tls.ts";
import type { ServerTls } from "../../config/tls-files.ts";
import { Broker } from "../../engine/broker.ts";
import { SimulatedDisk } from "../../log/testing/simulated-disk.ts";
import type { UpstreamSettings } from "../../config/upstream-settings.ts";
import { Upstreams } from "../../upstream/upstreams.ts";
import { annotate } from "../annotate.ts";
import { listenAmqp, type Listener, type Peers } from "../listener.ts";
import type { PeerDeps } from "../peer.ts";
import { Refusals } from "../../config/refusals.ts";
import { Temporaries } from "../temporaries.ts";

/** A router in this process, on a port of its own and a disk in memory, with rhea as its clients. */
export class Served {
  readonly broker: Broker;
  /** What other ports of the same router work with. */
  readonly deps: PeerDeps;
  readonly #listener: Listener;
  readonly #connections: rhea.Connection[] = [];

  readonly #peers: Peers;

  private constructor(deps: PeerDeps, { listener, peers }: { readonly listener: Listener; readonly peers: Peers }) {
    this.broker = deps.broker;
    this.deps = deps;
    this.#listener = listener;
    this.#peers = peers;
  }

  static async start(
    rules: readonly AddressRule[] = [],
    access: Access = OPEN_ACCESS,
    tls: ServerTls | null = null,
    upstreams: readonly UpstreamSettings[] = [],
    port = 0,
  ): Promise<Served> {
    const addressRules = new AddressRules(rules);
    const broker = await Broker.open(
      { rules: addressRules, log: {} },
      {
        disk: new SimulatedDisk(new Chance(1)).boot(),
        clock: systemClock,
        random32: () => 7,
        later: setImmediate,
        annotate,
        onTrouble: () => {},
        onFault: () => {},
      },
    );
    const deps: PeerDeps = {
      broker,
      upstreams: new Upstreams(upstreams, {
        farOf: (name) => addressRules.treat(name).far,
        clock: systemClock,
        log: noLog,
        board: { set: () => {} },
        random: Math.random,
      }),
      clock: systemClock,
      log: noLog,
      temporaries: new Temporaries(broker, systemClock),
      addresses: { isAuthority: (segment) => segment === "localhost" },
      limits: {
        sessions: 256,
        links: 4_096,
        frameBytes: 65_536,
        messageBytes: 1_000_000,
        unsettled: 50_000,
      },
      manage: (operation, address) => ({ operation, address }),
      container: "router",
      access,
      refusals: new Refusals(),
    };
    const peers: Peers = new Set();
    const listener = await listenAmqp(
      {
        listen: { host: "127.0.0.1", port },
        setting: "listen",
        connectionsMax: 100,
        tls: tls && new ShownTls(tls, tls.clientCa),
      },
      deps,
      peers,
    );
    return new Served(deps, { listener, peers });
  }

  /** Ends the connections of those who may not stay. */
  review(): void {
    for (const peer of this.#peers) peer.review();
  }

  get port(): number {
    return this.#listener.address.port;
  }

  async connect(id = "client", more: Partial<rhea.ConnectionOptions> = {}): Promise<rhea.Connection> {
    const connection = rhea
      .create_container({ id })
      .connect({ port: this.port, host: "127.0.0.1", reconnect: false, ...more });
    for (const event of ["disconnected", "connection_error", "session_error"]) connection.on(event, () => {});
    this.#connections.push(connection);
    await once(connection, "connection_open");
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await this.#listener.close();
    await this.broker.close();
  }
}

/** A sender that tells what became of each message. */
export class RheaSender {
  readonly sender: rhea.Sender;

  private constructor(sender: rhea.Sender) {
    this.sender = sender;
    sender.setMaxListeners(100);
  }

  static async open(connection: rhea.Connection, options: string | rhea.SenderOptions): Promise<RheaSender> {
    const sender = connection.open_sender(options);
    await Promise.race([once(sender, "sendable"), refused(sender, "sender")]);
    return new RheaSender(sender);
  }

  /** Sends a message, and resolves with its outcome: `accepted`, `released`, `modified`, or the description of an error. */
  async send(message: rhea.Message): Promise<string> {
    const delivery = this.sender.send(message);
    for (;;) {
      const { outcome, context } = await Promise.race(
        ["accepted", "released", "rejected", "modified"].map(async (outcome) => {
          const [context] = (await once(this.sender, outcome)) as [rhea.EventContext];
          return { outcome, context };
        }),
      );
      if (context.delivery?.id !== delivery.id) continue;
      const error = (context.delivery.remote_state as { error?: { description?: string } } | undefined)?.error;
      return error?.description ?? outcome;
    }
  }
}

/** A message that came, with what its consumer can say of it. */
export interface Got {
  readonly message: rhea.Message;
  readonly delivery: rhea.Delivery;
}

/** A receiver that takes as many messages as it is asked for. */
export class RheaReceiver {
  readonly receiver: rhea.Receiver;
  readonly got: Got[] = [];
  #drained = 0;

  private constructor(receiver: rhea.Receiver) {
    this.receiver = receiver;
    receiver.setMaxListeners(100);
    receiver.on("message", ({ message, delivery }: rhea.EventContext) => {
      if (message !== undefined && delivery !== undefined) this.got.push({ message, delivery });
    });
    receiver.on("receiver_drained", () => void this.#drained++);
  }

  static async open(connection: rhea.Connection, options: rhea.ReceiverOptions): Promise<RheaReceiver> {
    const receiver = connection.open_receiver({ credit_window: 0, autoaccept: false, ...options });
    const opened = new RheaReceiver(receiver);
    const refusal = refused(receiver, "receiver");
    await Promise.race([once(receiver, "receiver_open"), refusal]);
    // A refusal is an attach, and a detach right behind it.
    await new Promise((resolve) => setImmediate(resolve));
    if (receiver.error !== undefined) await refusal;
    return opened;
  }

  get drained(): number {
    return this.#drained;
  }

  get bodies(): unknown[] {
    return this.got.map(({ message }) => message.body as unknown);
  }

  /** Asks for `count` more messages, and resolves with them. */
  async take(count: number): Promise<Got[]> {
    const from = this.got.length;
    this.receiver.add_credit(count);
    while (this.got.length < from + count) await once(this.receiver, "message");
    return this.got.slice(from);
  }
}

async function refused(link: rhea.Sender | rhea.Receiver, kind: "sender" | "receiver"): Promise<never> {
  await once(link, `${kind}_error`);
  const { condition, description } = link.error as { condition: string; description: string };
  throw new Error(`${condition}: ${description}`);
}
