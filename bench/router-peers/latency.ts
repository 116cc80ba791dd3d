import { median } from "../stats.ts";
import { syncsUs } from "./disk.ts";
import type { Clients } from "./load.ts";
import { type Pass, pass, type Use, warmUp, type Way } from "./rate.ts";

const DISK_MS = 2_000;
const SECONDS = 2;

/**
 * How long acceptance takes at half of what each way takes at most, and of the first way also at half of what each other takes.
 * Times run from when a message was due, so that one that waits behind others counts as long as it waited.
 */
export async function printLatency(
  clients: Clients,
  ways: readonly Way[],
  { folder, rounds, ...use }: Use & { readonly rounds: number; readonly folder: string },
): Promise<void> {
  await warmUp(clients, ways, use);
  const disk: number[] = [];
  const rows = new Map<string, { readonly rates: number[]; readonly passes: Pass[] }>();
  const [own] = ways;
  for (let round = 0; round < rounds; round++) {
    disk.push(syncsUs(folder, DISK_MS).p99Us);
    for (const way of ways) {
      const rate = (await pass(clients, way, use)).perS / 2;
      await measure(way.name, way, rate);
      if (own !== undefined && way !== own) await measure(`${own.name} at the half load of ${way.name}`, own, rate);
    }
  }
  console.log("| at half load | messages a second | accepted, median | 99% | of the disk's own 99% |");
  console.log("| --- | --- | --- | --- | --- |");
  const diskUs = median(disk);
  for (const [name, { rates, passes }] of rows) {
    const [p50Us, p99Us] = [median(passes.map((one) => one.p50Us)), median(passes.map((one) => one.p99Us))];
    const cells = [Math.round(median(rates)), ms(p50Us), ms(p99Us), `${(p99Us / diskUs).toFixed(1)} ×`];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  console.log(`| the disk: 4 kB and fdatasync, one after the other | | | ${ms(diskUs)} | |`);

  async function measure(name: string, way: Way, rate: number): Promise<void> {
    const row = rows.get(name) ?? { rates: [], passes: [] };
    rows.set(name, row);
    row.rates.push(rate);
    row.passes.push(await pass(clients, way, { messages: Math.ceil(rate * SECONDS), bytes: use.bytes, rate }));
  }
}

const ms = (us: number): string => `${(us / 1_000).toFixed(2)} ms`;
