import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { residentMb } from "../memory.ts";
import type { Broker } from "./broker.ts";
import type { Clients } from "./load.ts";

const BYTES = 100;
/** Of less, most is the start of the process. */
const TOLD_GB = 0.5;

/** How a queue is filled. */
export interface Backlog {
  readonly broker: Broker;
  readonly messages: number;
}

/** Messages that nobody takes: their memory, their place on the disk, and how soon they are there after kill -9. */
export async function printQueued(clients: Clients, backlogs: readonly Backlog[]): Promise<void> {
  console.log(
    "| waiting, 100 bytes | sent at | memory | on disk | listens after kill -9 | a GB | first message after that | memory then |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const { broker, messages } of backlogs) {
    const goal = { port: broker.port, address: broker.queue("backlog") };
    const resident = (): number => broker.pids().reduce((sum, pid) => sum + residentMb(pid), 0);
    const { beganMs, endedMs } = await clients.send({ ...goal, count: messages }, { bytes: BYTES }).told;
    const [fullMb, gb] = [resident(), bytesIn(broker.folder) / 1e9];
    const startMs = performance.now();
    await broker.restart();
    const upMs = performance.now() - startMs;
    await clients.receive({ ...goal, count: 1 }).told;
    const firstMs = performance.now() - startMs - upMs;
    const cells = [
      `${Math.round(messages / ((endedMs - beganMs) / 1_000))}/s`,
      `${fullMb} MB`,
      `${gb.toFixed(2)} GB`,
      seconds(upMs),
      gb < TOLD_GB ? "–" : seconds(upMs / gb),
      seconds(firstMs),
      `${resident()} MB`,
    ];
    console.log(`| ${broker.name}, ${messages.toLocaleString("en")} | ${cells.join(" | ")} |`);
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).blocks * 512, 0);
}
