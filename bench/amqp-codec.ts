import "./harness/no-remains.ts";
import {
  Connection,
  type ConnectionEvents,
  encodeMessage,
  type IncomingDelivery,
  Sections,
  type Sender,
  QUIET_EVENTS,
} from "@datawire/amqp";

/**
 * What a router spends on AMQP alone for one message, from a sender to a receiver, without a network and a disk: it reads
 * the transfer, looks at its header, sends it on, reads the disposition, and says so to the sender.
 *   node bench/amqp-codec.ts [MESSAGES] [BYTES]
 */
const messages = Number(process.argv[2] ?? 2_000_000);
const bytes = Number(process.argv[3] ?? 100);
const ROUND = 500;
const WARM_UP = 200_000;
/** As much as a socket gives at once. */
const PIECE = 65_536;
const QUIET: ConnectionEvents = {
  ...QUIET_EVENTS,
  linkAsked: (link) => link.accept(),
  delivered: (delivery) => delivery.accept(),
};

/** CPU of the router in its two connections; that of the peers is not counted. */
let spentMicros = 0;
function spent(what: () => void): void {
  const before = process.threadCpuUsage();
  what();
  const { user, system } = process.threadCpuUsage(before);
  spentMicros += user + system;
}

const settings = { role: "server", open: { containerId: "router" }, incomingWindow: 65_536 } as const;
const sections = new Sections();
let out: Sender | null = null;
let delivered = 0;

const toProducer = new Connection(
  settings,
  {
    ...QUIET,
    linkAsked(link) {
      link.accept();
      if (link.isReceiver) link.setCredit(2 * ROUND);
    },
    delivered(delivery) {
      sections.scan(delivery.message);
      const sent = out?.send(delivery.message) ?? null;
      if (sent !== null) sent.context = delivery;
      delivery.receiver.keepCredit(2 * ROUND);
    },
  },
  0,
);
const toConsumer = new Connection(
  settings,
  {
    ...QUIET,
    linkAsked(link) {
      link.accept();
      if (!link.isReceiver) out = link;
    },
    outcome: (delivery) => (delivery.context as IncomingDelivery).accept(),
  },
  0,
);

const client = { ...settings, role: "client", open: { containerId: "client" } } as const;
let accepted = 0;
const producer = new Connection(client, { ...QUIET, outcome: () => void accepted++ }, 0);
const consumer = new Connection(
  client,
  {
    ...QUIET,
    delivered(delivery) {
      delivered++;
      delivery.accept();
      delivery.receiver.keepCredit(2 * ROUND);
    },
  },
  0,
);

function carry(from: Connection, to: Connection, ofRouter: boolean): boolean {
  let taken: Uint8Array | null = null;
  const take = (): void => void (taken = from.takeOutput(0));
  if (ofRouter) spent(take);
  else take();
  const output = taken as Uint8Array | null;
  if (output === null) return false;
  for (let at = 0; at < output.length; at += PIECE) {
    const piece = output.subarray(at, at + PIECE);
    if (ofRouter) to.receive(piece, 0);
    else spent(() => to.receive(piece, 0));
  }
  return true;
}

function settle(): void {
  let busy = true;
  while (busy) {
    busy = carry(producer, toProducer, false);
    busy = carry(toProducer, producer, true) || busy;
    busy = carry(toConsumer, consumer, true) || busy;
    busy = carry(consumer, toConsumer, false) || busy;
  }
}

producer.start();
consumer.start();
const sender = producer.begin().attachSender("out", { source: {}, target: { address: "orders" } });
consumer
  .begin()
  .attachReceiver("in", { source: { address: "orders" }, target: {} })
  .setCredit(2 * ROUND);
settle();
const message = encodeMessage({
  header: { durable: true },
  body: { type: "data", parts: [new Uint8Array(bytes)] },
});

function run(count: number): void {
  for (let sent = 0; sent < count; sent += ROUND) {
    for (let i = 0; i < ROUND;) {
      if (sender.send(message) === null) settle();
      else i++;
    }
    settle();
  }
}

run(WARM_UP);
const rounds: number[] = [];
for (let round = 0; round < 5; round++) {
  spentMicros = 0;
  const before = delivered;
  run(messages / 5);
  rounds.push(spentMicros / (delivered - before));
}
rounds.sort((a, b) => a - b);
console.log(
  `${bytes} bytes, 1→1: ${rounds[2]?.toFixed(2)} µs of CPU a message in the router's engine (${rounds.map((µs) => µs.toFixed(2)).join(", ")}); ${accepted} accepted`,
);
