import { sleep } from "../../e2e/harness/wait.ts";
import { residentMb } from "../memory.ts";
import type { Broker } from "./broker.ts";
import type { Clients } from "./load.ts";

const SETTLE_MS = 3_000;
/** Enough to have seen all code before. */
const WARM_UP = 200;

/** What brokers have in memory at rest, and what a connection with a sender and a receiver adds. */
export async function printMemory(clients: Clients, brokers: readonly Broker[], connections: number): Promise<void> {
  console.log(`| memory | at rest | a connection with two links, of ${connections} |`);
  console.log("| --- | --- | --- |");
  for (const broker of brokers) {
    const { port } = broker;
    const inMemoryMb = async (): Promise<number> => {
      await sleep(SETTLE_MS);
      return broker.pids().reduce((sum, pid) => sum + residentMb(pid), 0);
    };
    const atRestMb = await inMemoryMb();
    const hold = async (count: number): Promise<number> => {
      const client = clients.hold({ port, address: broker.queue("bench"), count });
      await client.attached;
      const heldMb = await inMemoryMb();
      await client.end();
      return heldMb;
    };
    await hold(WARM_UP);
    const beforeMb = await inMemoryMb();
    const eachKb = ((await hold(connections)) - beforeMb) * (2 ** 20 / 1_000 / connections);
    console.log(`| ${broker.name} | ${Math.round(atRestMb)} MB | ${eachKb.toFixed(1)} kB |`);
  }
}
