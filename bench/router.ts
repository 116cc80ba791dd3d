/**
 * What one router does in a second, what a message costs it, and what waiting ones do.
 *
 *     node bench/router.ts [messages] [bytes] [waiting]
 *
 * A real router on a folder of its own; senders and receivers are processes of their own on the same machine, made of the
 * same engine, so that rates are those of all of them together. What the router itself takes is CPU a message, from the
 * kernel's count. Every message is on disk before it is accepted. `waiting` messages are sent with nobody to take them, and the
 * router is started again on them.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { cpuSeconds, pidOf } from "./cpu.ts";
import { residentMb } from "./memory.ts";

const messages = Number(process.argv[2] ?? 300_000);
const bytes = Number(process.argv[3] ?? 100);
const waiting = Number(process.argv[4] ?? 1_000_000);

const PORT = 25_671;
/** What Linux counts CPU time in; sysconf(_SC_CLK_TCK) is 100 everywhere. */
const WARM_UP = 100_000;

const root = join(import.meta.dirname, "..");
const folder = ownFolder("bench-router-");
const children = new Set<ChildProcess>();
try {
  await run();
} finally {
  for (const child of children) child.kill("SIGKILL");
}

async function run(): Promise<void> {
  let router = await startRouter();
  await pass(router, "warm-up", { count: WARM_UP, receivers: 1 });
  await pass(router, "1 to 1", { count: messages, receivers: 1 });
  await pass(router, "topic, 1 to 3", { count: messages, receivers: 3 });
  console.log(`at rest: ${residentMb(pidOf(router))} MB`);
  const sender = load("send", "backlog", waiting);
  const { ms } = await told(sender);
  console.log(`${waiting} waiting, sent at ${perSecond(waiting, ms)}/s: ${residentMb(pidOf(router))} MB`);
  router.kill("SIGKILL");
  await once(router, "exit");
  const startedMs = performance.now();
  router = await startRouter();
  console.log(
    `started again on them in ${Math.round(performance.now() - startedMs)} ms: ${residentMb(pidOf(router))} MB`,
  );
  const receiver = load("receive", "backlog", waiting);
  const taken = await told(receiver);
  console.log(`taken from disk at ${perSecond(waiting, taken.ms)}/s`);
}

async function pass(
  router: ChildProcess,
  name: string,
  { count, receivers }: { readonly count: number; readonly receivers: number },
): Promise<void> {
  const address = receivers === 1 ? name.replaceAll(" ", "") : "topic/bench";
  const takers = Array.from({ length: receivers }, () => load("receive", address, count));
  await Promise.all(takers.map((taker) => once(taker, "message")));
  const before = cpuSeconds(router);
  const startedMs = performance.now();
  const sender = load("send", address, count);
  await Promise.all([told(sender), ...takers.map(told)]);
  const ms = performance.now() - startedMs;
  const cpu = cpuSeconds(router) - before;
  const each = Math.round((cpu * 1e7) / count) / 10;
  console.log(`${name}, ${bytes} bytes, durable: ${perSecond(count, ms)}/s, ${each} µs of the router's CPU each`);
}

async function startRouter(): Promise<ChildProcess> {
  const main = join(root, "packages/router/src/main.ts");
  const args = [main, "--data-dir", folder, "-p", String(PORT), "--admin", "off", "--log-format", "json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  children.add(child);
  for await (const line of child.stderr) if (String(line).includes("is ready")) break;
  return child;
}

function load(role: "send" | "receive", address: string, count: number): ChildProcess {
  const file = join(import.meta.dirname, "amqp-load.ts");
  const child = fork(file, [role, String(PORT), address, String(count), String(bytes)]);
  children.add(child);
  return child;
}

/** What a process tells at its end. */
async function told(child: ChildProcess): Promise<{ readonly ms: number }> {
  for (;;) {
    const [message] = (await once(child, "message")) as [unknown];
    if (typeof message === "object" && message !== null) return message as { readonly ms: number };
  }
}

function perSecond(count: number, ms: number): number {
  return Math.round(count / (ms / 1_000));
}
