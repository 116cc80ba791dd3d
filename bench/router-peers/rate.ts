import { cpuUs } from "../cpu.ts";
import { median } from "../stats.ts";
import type { Broker, Fan } from "./broker.ts";
import type { Clients } from "./load.ts";

/** What takes messages from one sender to its receivers, and the processes that work for it. */
export interface Way {
  readonly name: string;
  readonly port: number;
  readonly fan: Fan;
  readonly pids: readonly number[];
}

export interface Pass {
  readonly perS: number;
  /** Of all processes of brokers, and of the clients, µs a message. */
  readonly cpuUs: number;
  readonly clientUs: number;
  /** From when a message was due until it was accepted. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** How a way is used. */
export interface Use {
  readonly messages: number;
  readonly bytes: number;
  /** Messages a second; default: as many as go. */
  readonly rate?: number;
}

const WARM_UP_MAX = 20_000;

/** From one sender by way of a queue to one receiver. */
export const queueOf = (broker: Broker, address = broker.queue("bench")): Way => ({
  name: broker.name,
  port: broker.port,
  fan: { to: address, from: [{ address }] },
  pids: broker.pids(),
});

/** From one sender to three durable subscriptions. */
export const fanWayOf = ({ name, port, fan, pids }: Broker): Way => ({ name, port, fan, pids: pids() });

/** Sends messages to receivers that wait for them; ends when all have all and the sender has heard of each. */
export async function pass(clients: Clients, { port, fan, pids }: Way, use: Use): Promise<Pass> {
  const { messages: count, bytes, rate = 0 } = use;
  const receivers = fan.from.map(({ address, subscription }) =>
    clients.receive({ port, address, count }, subscription),
  );
  await Promise.all(receivers.map(({ attached }) => attached));
  const before = cpuUs(pids);
  const sender = clients.send({ port, address: fan.to, count }, { bytes, rate });
  const [sent, ...taken] = await Promise.all([sender, ...receivers].map(({ told }) => told));
  const cpu = cpuUs(pids) - before;
  if (sent === undefined) throw new Error("Cannot count: no sender");
  const all = [sent, ...taken];
  const ms = Math.max(...all.map(({ endedMs }) => endedMs)) - sent.beganMs;
  return {
    perS: count / (ms / 1_000),
    cpuUs: cpu / count,
    clientUs: all.reduce((sum, one) => sum + one.cpuUs, 0) / count,
    p50Us: sent.p50Us,
    p99Us: sent.p99Us,
  };
}

/** Makes virtual machines compile what they need. */
export async function warmUp(clients: Clients, ways: readonly Way[], { messages, bytes }: Use): Promise<void> {
  const use = { messages: Math.min(messages, WARM_UP_MAX), bytes };
  for (const way of ways) for (let i = 0; i < 3; i++) await pass(clients, way, use);
}

/** Paired rounds: each takes all ways, one after the other. Prints a row each, and what the first has of the others. */
export async function printRates(
  clients: Clients,
  ways: readonly Way[],
  { rounds, ...use }: Use & { readonly rounds: number },
): Promise<void> {
  await warmUp(clients, ways, use);
  const passes = ways.map((): Pass[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of ways.entries()) passes[i]?.push(await pass(clients, way, use));
  }
  const of = (i: number, value: (one: Pass) => number): number => median((passes[i] ?? []).map(value));
  console.log(
    `| ${use.bytes} bytes | rate | CPU a message, of all brokers in it | of the clients | the router's rate to it |`,
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const [i, { name }] of ways.entries()) {
    const ratios = (passes[0] ?? []).map(({ perS }, round) => perS / (passes[i]?.[round]?.perS ?? Number.NaN));
    const cells = [
      `${Math.round(of(i, ({ perS }) => perS))}/s`,
      `${of(i, (one) => one.cpuUs).toFixed(1)} µs`,
      `${of(i, (one) => one.clientUs).toFixed(1)} µs`,
      median(ratios).toFixed(2),
    ];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}
