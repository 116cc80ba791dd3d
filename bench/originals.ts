import "./harness/no-remains.ts";
import { WebSocket } from "ws";
import { Stack } from "../e2e/harness/stack.ts";
import { describe } from "./stats.ts";

/**
 * How long a change takes to reach everybody, with clients of the original MDK among those connected to one directory:
 *   node bench/originals.ts [ORIGINALS] [LIBRARIES] [ROUNDS]
 * Each original has registered a node, and is told of all others; each library follows the table over the link. A round
 * is one more node, from its `active` until the last one has been told of it; the clients are in the process of the bench.
 */
const [originals = 1_000, libraries = 9_000, rounds = 20] = process.argv.slice(2).map(Number);
const AT_ONCE = 50;
const HELLO = { type: "hello", link: { min: 1, max: 1 }, kind: "library", version: "1" };

const stack = new Stack();
/** What has been told of the node of this round. */
let wanted = "";
let toldMs: number[] = [];
let allTold = (): void => {};
const sockets: WebSocket[] = [];
/** Until nothing but rounds goes on. */
let lastFrameMs = performance.now();

async function open(path: string, greeting: object): Promise<WebSocket> {
  const { directory } = await stack.ports();
  const socket = new WebSocket(`ws://127.0.0.1:${directory}${path}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("message", (data: Buffer) => {
    lastFrameMs = performance.now();
    if (wanted === "" || !data.includes(wanted)) return;
    toldMs.push(performance.now());
    if (toldMs.length === sockets.length) allTold();
  });
  socket.send(JSON.stringify(greeting));
  sockets.push(socket);
  return socket;
}

function active(socket: WebSocket, service: string, host: string): void {
  const node = { id: host, service, version: "1.0", address: `http://${host}:1`, properties: {} };
  socket.send(JSON.stringify({ type: "active", node, ttl: 300 }));
}

async function inTurns(count: number, work: (i: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => work(from + i)));
}

try {
  await stack.startDirectory();
  const startedMs = performance.now();
  await inTurns(originals, async (i) => {
    const socket = await open("/rtp?token=none", { type: "open", version: "2.0.0", nodeId: `n${i}` });
    active(socket, `service-${i % 100}`, `h${i}.example.com`);
  });
  await inTurns(libraries, async (i) => {
    const subscribe = { services: null, have: null };
    await open("/v1/link", { ...HELLO, name: `app-${i % 100}`, id: `library-${i}`, subscribe });
  });
  while (performance.now() - lastFrameMs < 2_000) await new Promise((resolve) => setTimeout(resolve, 200));
  print(
    `${originals} originals and ${libraries} libraries have all after ${Math.round(performance.now() - startedMs)} ms`,
  );
  const last: number[] = [];
  const p99: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const told = new Promise<void>((resolve) => (allTold = resolve));
    toldMs = [];
    wanted = `round-${round}.example.com`;
    const beganMs = performance.now();
    active(sockets[round % originals] as WebSocket, "probe", wanted);
    await told;
    const took = toldMs.map((ms) => ms - beganMs).toSorted((a, b) => a - b);
    last.push(took.at(-1) as number);
    p99.push(took[Math.floor(took.length * 0.99)] as number);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  print(describe("active → 99 of 100 are told", p99, "ms"));
  print(describe("active → the last one is told", last, "ms"));
} finally {
  wanted = "";
  for (const socket of sockets) socket.terminate();
  await stack.dispose();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
