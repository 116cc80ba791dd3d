/**
 * What one directory holds and how fast it tells of a change: Watsons register, Sherlocks follow, one instance changes.
 *
 *     node bench/directory.ts [watsons] [instances of each] [services] [subscribers]
 *
 * A real directory in a process of its own, with its embedded store; all clients share this process, which on a
 * machine with two cores has the other one.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

const watsons = Number(process.argv[2] ?? 1_000);
const each = Number(process.argv[3] ?? 100);
const services = Number(process.argv[4] ?? 5_000);
const subscribers = Number(process.argv[5] ?? 1_000);
const CHANGES = 50;

const folder = await mkdtemp(join(tmpdir(), "directory-bench-"));
const port = await freePort();
const main = join(import.meta.dirname, "..", "packages", "directory", "src", "main.ts");
const args = [main, "-n", "localhost", "-p", String(port), "--data-dir", folder, "--log-level", "error"];
const directory = spawn(process.execPath, args, { stdio: "inherit" });
try {
  await ready();
  await run();
} finally {
  directory.kill("SIGKILL");
  await rm(folder, { recursive: true });
}
process.exit();

async function run(): Promise<void> {
  const registering = performance.now();
  const agents = await Promise.all(Array.from({ length: watsons }, (_, index) => register(index)));
  print("registered", `${watsons * each} instances of ${services} services in ${since(registering)}`);

  print("first subscriber", await snapshot());
  print("next subscriber", await snapshot());

  const { epoch, revision } = await position();
  const arrivals: number[] = [];
  let told = 0;
  const followers = Array.from({ length: subscribers }, async (_, index) => {
    const have = { epoch, revision };
    const socket = await open("sherlock", `sherlock-${index}`, { subscribe: { services: null, have } }, (text) => {
      if (text.includes('"reason":"bench')) arrivals.push(performance.now() - told);
    });
    return socket;
  });
  await Promise.all(followers);
  await sleep(2_000);
  for (let change = 0; change < CHANGES; change++) {
    const before = arrivals.length;
    const instances = [{ ...instance(change % watsons, 0), state: "down", reason: `bench ${change}` }];
    told = performance.now();
    agents[change % watsons]?.send(JSON.stringify({ type: "update", seq: 2 + change, instances }));
    while (arrivals.length < before + subscribers) await sleep(5);
  }
  const sorted = arrivals.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)} ms`;
  print("one change", `to ${subscribers} subscribers: median ${at(0.5)}, 99% within ${at(0.99)}, last ${at(0.99999)}`);
  const status = await readFile(`/proc/${directory.pid}/status`, "utf8");
  print("memory", `${Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)} MB at its peak`);
}

async function register(index: number): Promise<WebSocket> {
  const registered = Promise.withResolvers<void>();
  const socket = await open("watson", `vm${index}`, {}, (text) => {
    if (text.startsWith('{"type":"registered"')) registered.resolve();
  });
  const instances = Array.from({ length: each }, (_, i) => instance(index, i));
  socket.send(JSON.stringify({ type: "register", seq: 1, instances }));
  await registered.promise;
  return socket;
}

function instance(watson: number, index: number) {
  const service = `service-${(watson * each + index) % services}.internal`;
  const url = `http://vm${watson}.example.com:${8_000 + index}/base`;
  return {
    service,
    name: `vm${watson}-${index}`,
    version: "1.4.2",
    url,
    state: "live",
    zone: "us-east-1a",
    tags: ["a"],
  };
}

/** How long a whole table takes to arrive at a new subscriber, and how large it is. */
async function snapshot(): Promise<string> {
  const start = performance.now();
  let bytes = 0;
  const complete = Promise.withResolvers<void>();
  const socket = await open("sherlock", "newcomer", { subscribe: { services: null, have: null } }, (text) => {
    bytes += text.length;
    if (text.startsWith('{"type":"snapshot"') && text.slice(0, 200).includes('"last":true')) complete.resolve();
  });
  await complete.promise;
  socket.terminate();
  return `${(bytes / 1e6).toFixed(1)} MB in ${since(start)}`;
}

/** Opens a link; resolves once the directory has said welcome. */
function open(kind: string, name: string, fields: object, onText: (text: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, { perMessageDeflate: false });
  const hello = {
    type: "hello",
    link: { min: 1, max: 1 },
    kind,
    name,
    id: `bench-of-${name}`,
    version: "0",
    ...fields,
  };
  return new Promise((resolve, reject) => {
    socket.once("open", () => socket.send(JSON.stringify(hello)));
    socket.once("error", reject);
    socket.on("message", (data: Buffer) => {
      const text = data.toString("utf8");
      if (text.startsWith('{"type":"welcome"')) resolve(socket);
      onText(text);
    });
  });
}

async function position(): Promise<{ epoch: string; revision: number }> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/status`);
  const { directory: stamp } = (await response.json()) as { directory: { epoch: string; revision: number } };
  return { epoch: stamp.epoch, revision: stamp.revision };
}

async function ready(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (response?.ok === true) return;
    await sleep(100);
  }
  throw new Error("Cannot measure: the directory was not ready within 10 s");
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address() as AddressInfo;
      server.close(() => resolve(address.port));
    });
  });
}

function print(what: string, text: string): void {
  console.log(`${what.padEnd(18)}${text}`);
}

function since(startMs: number): string {
  return `${((performance.now() - startMs) / 1_000).toFixed(2)} s`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
