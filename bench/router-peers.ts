/**
 * The router beside other brokers, and a link through it beside the broker that it goes to, in one run with one client, which
 * is proton-c:
 *
 *     node bench/router-peers.ts rate [--bytes 100] [--fan] [--rounds 5] [--messages 50000]    to one receiver, or to three
 *     node bench/router-peers.ts latency [--rounds 3]       until a message is accepted, at half load, beside the disk's own
 *     node bench/router-peers.ts memory [--connections 2000]        at rest, and a connection with two links
 *     node bench/router-peers.ts queued [--waiting 10000000] [--waiting-peers 200000]      waiting messages, and kill -9
 *
 * With `--artemis FOLDER` (of an unpacked Artemis, as `npm run test-brokers` has it) that one too, with `--only NAME` those
 * alone whose name has it. RabbitMQ is that of the system's packages; a peer that is not there is left out, and said so.
 * Rounds are paired: each takes all, one after the other, and what is told is the median. Messages are durable; each mode
 * takes under two minutes on a quiet machine, with its memory and its disk to itself.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printLoad } from "./harness/print.ts";
import { startArtemis } from "./router-peers/artemis.ts";
import type { Broker } from "./router-peers/broker.ts";
import { printLatency } from "./router-peers/latency.ts";
import { Clients } from "./router-peers/load.ts";
import { printMemory } from "./router-peers/memory.ts";
import { LINKED, startRouter } from "./router-peers/ours.ts";
import { printQueued } from "./router-peers/queued.ts";
import { startRabbitmq } from "./router-peers/rabbitmq.ts";
import { fanWayOf, printRates, queueOf } from "./router-peers/rate.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bytes: { type: "string", default: "100" },
    fan: { type: "boolean", default: false },
    rounds: { type: "string" },
    messages: { type: "string", default: "50000" },
    connections: { type: "string", default: "2000" },
    waiting: { type: "string", default: "10000000" },
    "waiting-peers": { type: "string", default: "200000" },
    artemis: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const MODES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = { rate, latency, memory, queued };

const folder = ownFolder("bench-router-peers-");
const brokers: Broker[] = [];
let clients: Clients | null = null;
// Brokers are groups of their own, and outlive whoever is interrupted.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void end().then(() => process.exit(1)));
try {
  const mode = Object.hasOwn(MODES, positionals[0] ?? "rate") ? MODES[positionals[0] ?? "rate"] : undefined;
  if (mode === undefined)
    throw new Error(`Cannot measure ${positionals[0]}: wanted one of ${Object.keys(MODES).join(", ")}`);
  clients = await Clients.build(folder);
  await startAll();
  await mode(clients);
  printLoad();
} finally {
  await end();
}

async function end(): Promise<void> {
  clients?.end();
  for (const broker of brokers.splice(0)) await broker.stop();
}

/** The router comes first. */
async function startAll(): Promise<void> {
  const isWanted = (name: string): boolean => name.toLowerCase().includes(values.only.toLowerCase());
  const rabbit = isWanted("RabbitMQ") ? await startRabbitmq(join(folder, "rabbitmq")) : null;
  if (rabbit !== null) brokers.push(rabbit);
  else if (isWanted("RabbitMQ")) console.log("RabbitMQ is left out: it is not installed");
  if (isWanted("the router")) brokers.unshift(await startRouter(join(folder, "router"), rabbit?.port ?? null));
  if (!isWanted("Artemis")) return;
  if (values.artemis === undefined) console.log("Artemis is left out: no folder is given as --artemis FOLDER");
  else brokers.push(await startArtemis(values.artemis, join(folder, "artemis")));
}

async function rate(these: Clients): Promise<void> {
  const ways = brokers.map((broker) => (values.fan ? fanWayOf(broker) : queueOf(broker)));
  const [own, rabbit] = ["the router", "RabbitMQ"].map((name) =>
    brokers.find((broker) => broker.name.startsWith(name)),
  );
  if (own !== undefined && rabbit !== undefined && !values.fan) {
    const pids = [...own.pids(), ...rabbit.pids()];
    ways.push({ ...queueOf(own, LINKED), name: "RabbitMQ through a link of the router", pids });
  }
  await printRates(these, ways, { ...use(), rounds: Number(values.rounds ?? 5) });
}

async function latency(these: Clients): Promise<void> {
  const ways = brokers.map((broker) => queueOf(broker));
  await printLatency(these, ways, { ...use(), rounds: Number(values.rounds ?? 3), folder });
}

async function memory(these: Clients): Promise<void> {
  await printMemory(these, brokers, Number(values.connections));
}

async function queued(these: Clients): Promise<void> {
  const messagesOf = ({ name }: Broker): number =>
    Number(name === "the router" ? values.waiting : values["waiting-peers"]);
  await printQueued(
    these,
    brokers.map((broker) => ({ broker, messages: messagesOf(broker) })),
  );
}

function use(): { readonly messages: number; readonly bytes: number } {
  return { messages: Number(values.messages), bytes: Number(values.bytes) };
}
