/**
 * How long a message to a topic takes to a thousand pages, over TLS and WebSocket.
 *
 *     node bench/browsers.ts [pages] [messages] [pauseMs]
 *
 * A real router; the pages are WebSockets of a process of its own, with the engine of AMQP, and each has a subscription.
 * The same process sends, so that one clock tells how long each delivery has taken, from before the message is sent, with
 * its way to the disk.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import {
  Connection,
  type ConnectionEvents,
  decodeMessage,
  encodeMessage,
  WireFailure,
  QUIET_EVENTS,
} from "@datawire/amqp";
import { WebSocket } from "ws";
import { quantile } from "./stats.ts";
import { cpuSeconds, pidOf } from "./cpu.ts";
import { residentMb } from "./memory.ts";

const PORT = 25_672;
const WEB_PORT = 25_673;
const TOPIC = "topic/pages";
const BODY_BYTES = 100;
const WARM_UP = 20;
/** What Linux counts CPU time in; sysconf(_SC_CLK_TCK) is 100 everywhere. */

const [role] = process.argv.slice(2);
await (role === "pages" ? runPages() : run());

async function run(): Promise<void> {
  const [pages = 1_000, messages = 100, pauseMs = 100] = process.argv.slice(2).map(Number);
  const folder = ownFolder("bench-browsers-");
  const main = join(import.meta.dirname, "../packages/router/src/main.ts");
  const settings = ["--data-dir", folder, "-p", String(PORT), "--web", `127.0.0.1:${WEB_PORT}`, "--admin", "off"];
  const router = spawn(process.execPath, [main, ...settings], { stdio: ["ignore", "ignore", "pipe"] });
  const children: ChildProcess[] = [router];
  try {
    for await (const line of router.stderr) if (String(line).includes("is ready")) break;
    router.stderr.resume();
    const atRest = residentMb(pidOf(router));
    const args = ["pages", String(pages), String(messages), String(pauseMs), join(folder, "ca.pem")];
    const client = fork(import.meta.filename, args);
    children.push(client);
    await once(client, "message");
    const connected = residentMb(pidOf(router));
    const [before, beforePages] = [cpuSeconds(router), cpuSeconds(client)];
    client.send("go");
    const [latencies] = (await once(client, "message")) as [number[]];
    const each = (seconds: number): string => ((seconds * 1e6) / latencies.length).toFixed(1);
    const cpu = each(cpuSeconds(router) - before);
    const cpuPages = each(cpuSeconds(client) - beforePages);
    const ms = (q: number): string => quantile(latencies, q).toFixed(0);
    const load = loadavg()[0]?.toFixed(1);
    console.log(`${pages} pages, ${messages} messages, one each ${pauseMs} ms, at a load average of ${load}`);
    console.log(
      `${latencies.length} deliveries: ${ms(0.5)} ms (p50), ${ms(0.9)} ms (p90), ${ms(0.99)} ms (p99), ${ms(1)} ms at most`,
    );
    console.log(`CPU: ${cpu} µs a delivery of the router's, ${cpuPages} µs of the pages'`);
    console.log(`the router's memory: ${atRest} MB at rest, ${connected} MB with all pages`);
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

async function runPages(): Promise<void> {
  const [pages = 0, messages = 0, pauseMs = 0] = process.argv.slice(3, 6).map(Number);
  const ca = await readFile(process.argv[6] ?? "", "utf8");
  const latencies: number[] = [];
  let wanted = 0;
  let arrived = (): void => {};
  const delivered = (sentMs: number): void => {
    latencies.push(performance.now() - sentMs);
    if (latencies.length === wanted) arrived();
  };
  // Some at a time, as pages come.
  for (let from = 0; from < pages; from += 50)
    await Promise.all(Array.from({ length: Math.min(50, pages - from) }, () => subscribe(ca, delivered)));
  const send = await openSender(ca);
  const pass = async (count: number): Promise<number[]> => {
    latencies.length = 0;
    wanted = count * pages;
    const all = new Promise<void>((resolve) => (arrived = resolve));
    for (let i = 0; i < count; i++) {
      send(performance.now());
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await all;
    return [...latencies];
  };
  await pass(WARM_UP);
  process.send?.("ready");
  await once(process, "message");
  process.send?.(await pass(messages));
}

/** Opens a connection over TLS and WebSocket. */
async function open(ca: string, events: Partial<ConnectionEvents>): Promise<Connection> {
  const socket = new WebSocket(`wss://localhost:${WEB_PORT}/`, ["amqp"], { ca, perMessageDeflate: false });
  await once(socket, "open");
  const write = (): void => {
    const bytes = connection.takeOutput(performance.now());
    if (bytes !== null) socket.send(bytes);
  };
  const connection: Connection = new Connection(
    { role: "client", open: { containerId: `page-${Math.random()}` }, idleTimeoutMs: 0 },
    {
      ...QUIET_EVENTS,
      outputReady: () => void setImmediate(write),
      closed: ({ error }) => error !== null && console.error(error),
      outcome: (delivery) => delivery.settle(),
      ...events,
    },
    performance.now(),
  );
  socket.on("message", (bytes: Buffer) => connection.receive(new Uint8Array(bytes), performance.now()));
  connection.start();
  return connection;
}

async function subscribe(ca: string, delivered: (sentMs: number) => void): Promise<void> {
  let attached = (): void => {};
  const connection = await open(ca, {
    linkAttached: () => attached(),
    delivered(delivery) {
      const message = decodeMessage(delivery.message);
      if (message instanceof WireFailure || message.body?.type !== "value")
        throw new Error("that is no message of ours");
      delivered(Number.parseFloat(message.body.value as string));
      delivery.accept();
      delivery.receiver.keepCredit(100);
    },
  });
  const receiver = connection.begin().attachReceiver(`in-${Math.random()}`, { source: { address: TOPIC }, target: {} });
  receiver.setCredit(100);
  await new Promise<void>((resolve) => (attached = resolve));
}

async function openSender(ca: string): Promise<(sentMs: number) => void> {
  let credited = (): void => {};
  const connection = await open(ca, { flow: () => credited() });
  const sender = connection.begin().attachSender("out", { target: { address: TOPIC } });
  await new Promise<void>((resolve) => (credited = resolve));
  return (sentMs) => {
    const value = `${sentMs} `.padEnd(BODY_BYTES, "x");
    if (sender.send(encodeMessage({ body: { type: "value", value } })) === null)
      throw new Error("the router takes nothing");
  };
}
