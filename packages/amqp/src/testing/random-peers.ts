import type { Chance } from "@datawire/protocol/testing/fuzz";
import type { Connection } from "../connection/connection.ts";
import type { DeliveryState } from "../frames/delivery-state.ts";
import type { IncomingDelivery } from "../link/receiver.ts";
import type { Sender } from "../link/sender.ts";
import { makePair, type Pair, type Recorder } from "./pair.ts";

/** What came of one message. */
interface Passed {
  readonly link: string;
  readonly number: number;
  outcome: DeliveryState["type"] | null;
}

const OUTCOMES: readonly DeliveryState[] = [
  { type: "accepted" },
  { type: "accepted" },
  { type: "released" },
  { type: "rejected", error: { condition: "app:bad", description: "no" } },
  { type: "modified", deliveryFailed: true },
];

/** Two peers that do whatever their chance tells, with bytes on their way between them. */
export class RandomPeers {
  readonly pair: Pair;
  /** What each side wrote, in its order: for those who want to send it in another. */
  readonly written: { readonly byClient: Uint8Array[]; readonly byServer: Uint8Array[] } = {
    byClient: [],
    byServer: [],
  };
  readonly sent: Passed[] = [];
  readonly received: { link: string; number: number }[] = [];
  readonly #chance: Chance;
  readonly #waiting: IncomingDelivery[] = [];
  readonly #onTheWay: { to: Connection; bytes: Uint8Array }[][] = [[], []];
  #names = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    const settings = (): object => ({
      incomingWindow: 1 + chance.int(20),
      frameBytesMax: chance.pick([512, 600, 4_096]),
      outputBytesMax: chance.pick([600, 5_000, 100_000]),
      handleMax: 7,
    });
    this.pair = makePair({ client: settings(), server: settings() });
    for (const told of [this.pair.clientTold, this.pair.serverTold]) this.#listen(told);
  }

  /** One step: something is asked for, or bytes arrive. */
  step(): void {
    const chance = this.#chance;
    if (chance.once(2)) return this.#carry();
    const connection = chance.pick([this.pair.client, this.pair.server]);
    const session = connection.sessions.length > 0 ? chance.pick(connection.sessions) : null;
    const links = session?.links ?? [];
    const link = links.length > 0 ? chance.pick(links) : null;
    switch (chance.int(20)) {
      case 0:
        if (connection.sessions.length < 2) connection.begin();
        return;
      case 1:
      case 2:
        if (session !== null && links.length < 4) {
          const name = `${connection === this.pair.client ? "c" : "s"}${this.#names++}`;
          const terminus = { source: { address: "a" }, target: { address: "a" }, rcvSettleMode: chance.int(2) };
          if (chance.once(2)) session.attachSender(name, terminus);
          else session.attachReceiver(name, terminus).setCredit(chance.int(6));
        }
        return;
      case 3:
        if (link?.isReceiver === true) link.setCredit(chance.int(9));
        return;
      case 4:
        if (link?.isReceiver === true) link.drainCredit(chance.int(9));
        return;
      case 5:
        if (chance.once(20)) link?.detach({ closed: chance.once(2) });
        return;
      case 6:
        if (chance.once(100)) session?.end();
        return;
      case 7:
        if (link?.isReceiver === false && chance.once(4)) this.#abort(link);
        return;
      case 8:
        return connection.setCongested(chance.once(3));
      case 9:
        return this.#settleOne();
      default:
        for (const each of links) if (!each.isReceiver) this.#send(each);
    }
  }

  /** Carries everything that is on its way, and gives an outcome to whatever waits for one. */
  finish(): void {
    for (const connection of [this.pair.client, this.pair.server]) connection.setCongested(false);
    for (let quiet = 0; quiet < 3;) {
      while (this.#waiting.length > 0) this.#settleOne();
      const before = this.written.byClient.length + this.written.byServer.length;
      for (const queue of this.#onTheWay) {
        for (const { to, bytes } of queue.splice(0)) to.receive(bytes, 0);
      }
      this.#take();
      const idle = this.written.byClient.length + this.written.byServer.length === before;
      quiet = idle && this.#waiting.length === 0 ? quiet + 1 : 0;
    }
  }

  #listen(told: Recorder): void {
    told.onLinkAsked = (link) => {
      link.accept();
      if (link.isReceiver) link.setCredit(this.#chance.int(6));
    };
    told.onDelivered = (delivery) => {
      const { message, receiver } = delivery;
      const number = ((message[0] ?? 0) << 8) | (message[1] ?? 0);
      if (!message.subarray(2).every((byte) => byte === number % 251)) throw new Error(`message ${number} is damaged`);
      this.received.push({ link: receiver.name, number });
      if (!delivery.settled) this.#waiting.push(delivery);
    };
    told.onFlow = (sender) => {
      if (sender.drain && this.#chance.once(2)) sender.drained();
    };
    told.onOutcome = (delivery) => {
      const passed = delivery.context as Passed | null;
      if (passed !== null && delivery.state !== null) passed.outcome = delivery.state.type;
      delivery.settle();
    };
  }

  #send(link: Sender): void {
    if (this.sent.length > 60_000) return;
    const number = this.sent.length;
    const message = new Uint8Array(2 + this.#chance.pick([0, 5, 100, 3_000])).fill(number % 251);
    message[0] = number >> 8;
    message[1] = number;
    const delivery = link.send(message, { settled: this.#chance.once(5) });
    if (delivery === null) return;
    const passed: Passed = { link: link.name, number, outcome: delivery.settled ? "accepted" : null };
    delivery.context = passed;
    this.sent.push(passed);
  }

  #abort(link: Sender): void {
    const last = [...link.unsettled].at(-1);
    if (link.abort() && last !== undefined) (last.context as Passed).outcome ??= "released";
  }

  #settleOne(): void {
    const at = this.#chance.int(Math.max(1, this.#waiting.length));
    const [delivery] = this.#waiting.splice(at, 1);
    delivery?.settle(this.#chance.pick(OUTCOMES));
  }

  #take(): void {
    const { client, server } = this.pair;
    for (const [i, from, to, written] of [
      [0, client, server, this.written.byClient],
      [1, server, client, this.written.byServer],
    ] as const) {
      const bytes = from.takeOutput(0);
      if (bytes === null) continue;
      written.push(bytes);
      this.#onTheWay[i]?.push({ to, bytes });
    }
  }

  #carry(): void {
    if (this.#chance.once(2)) this.#take();
    const queue = this.#chance.pick(this.#onTheWay);
    const next = queue.shift();
    if (next === undefined) return;
    const cut = this.#chance.int(next.bytes.length + 1);
    next.to.receive(next.bytes.slice(0, cut), 0);
    if (cut < next.bytes.length) queue.unshift({ to: next.to, bytes: next.bytes.slice(cut) });
  }
}
