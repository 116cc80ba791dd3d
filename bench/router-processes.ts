/**
 * What a router of several processes does beside one of one, in paired rounds.
 *
 *     node bench/router-processes.ts [processes] [rounds] [messages]
 *
 * Pairs of a sender and a receiver, each at an address of its own, so that both the addresses and the clients are spread;
 * messages of 100 bytes, durable. Where no processor is free, it shows what the way between processes costs, and no more.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const processes = Number(process.argv[2] ?? 2);
const rounds = Number(process.argv[3] ?? 3);
const messages = Number(process.argv[4] ?? 50_000);

const PORT = 25_673;
const PAIRS = 4;

const root = join(import.meta.dirname, "..");
const folder = ownFolder("bench-processes-");
const children = new Set<ChildProcess>();
try {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = await run(1);
    const several = await run(processes);
    ratios.push(several / one);
    console.log(`1 process: ${Math.round(one)}/s, ${processes}: ${Math.round(several)}/s`);
  }
  const median = ratios.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
  console.log(`median of the rounds: ${Math.round(median * 100) / 100} times the rate of one`);
} finally {
  for (const child of children) child.kill("SIGTERM");
}

/** @returns messages a second, of all pairs together. */
async function run(count: number): Promise<number> {
  const router = await startRouter(count);
  const receivers = Array.from({ length: PAIRS }, (_, pair) => load("receive", pair));
  await Promise.all(receivers.map((receiver) => once(receiver, "message")));
  const startedMs = performance.now();
  const senders = Array.from({ length: PAIRS }, (_, pair) => load("send", pair));
  await Promise.all([...senders, ...receivers].map(ended));
  const ms = performance.now() - startedMs;
  router.kill("SIGTERM");
  await once(router, "exit");
  children.delete(router);
  return (PAIRS * messages) / (ms / 1_000);
}

async function startRouter(count: number): Promise<ChildProcess> {
  const config = join(folder, `${count}.json`);
  const settings = { data_dir: join(folder, String(count)), web: "off", admin: "off", processes: count };
  await writeFile(config, JSON.stringify(settings));
  const args = [join(root, "packages/router/src/main.ts"), "-c", config, "-p", String(PORT), "--log-format", "json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  children.add(child);
  for await (const line of child.stderr) if (String(line).includes("Router is ready")) break;
  return child;
}

function load(role: "send" | "receive", pair: number): ChildProcess {
  const args = [role, String(PORT), `bench/${pair}`, String(messages), "100"];
  const child = fork(join(import.meta.dirname, "amqp-load.ts"), args);
  children.add(child);
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, "exit");
  children.delete(child);
  if (child.exitCode !== 0) throw new Error("a client ended before its messages were through");
}
