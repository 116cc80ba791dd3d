/**
 * What one directory holds, how fast it tells of a change, and what it says when nothing changes:
 *
 *     node bench/directory.ts [--watsons 1000] [--each 100] [--services 5000] [--subscribers 1000] [--steady 30]
 *
 * A real directory in a process of its own, with its embedded store; all clients share this process, which on a
 * machine with two cores has the other one. Fails when anything but heartbeats is sent in a steady state.
 */
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { megabytes, print, printLoad, seconds } from "./harness/print.ts";
import { type RawClient, openClient } from "./harness/raw-client.ts";
import { sizeOf, sizeOptions, wanted } from "./harness/size.ts";
import { quantile } from "./stats.ts";

const { values } = parseArgs({
  options: {
    ...sizeOptions,
    subscribers: { type: "string", default: "1000" },
    /** For how many seconds nothing changes. */
    steady: { type: "string", default: "30" },
  },
});
const { watsons, each, services } = sizeOf(values);
const subscribers = Number(values.subscribers);
const CHANGES = 50;

const [port = 0] = await freePorts(1);
const directory = await DirectoryProcess.create(port);
let isQuiet = false;
try {
  await directory.start();
  await run();
} finally {
  await directory.dispose();
}
process.exit(isQuiet ? 0 : 1);

async function run(): Promise<void> {
  const registering = performance.now();
  const agents = await Promise.all(Array.from({ length: watsons }, (_, index) => register(index)));
  print("registered", `${watsons * each} instances of ${services} services in ${since(registering)}`);

  print("first subscriber", await snapshot());
  print("next subscriber", await snapshot());

  await eventually(async () => wanted((await directory.status()).directory.state === "ready", "warming"));
  const { epoch, revision } = (await directory.status()).directory;
  const have = { epoch, revision };
  const arrivals: number[] = [];
  let told = 0;
  const followers = await Promise.all(
    Array.from({ length: subscribers }, (_, index) =>
      openClient(port, subscriber(`sherlock-${index}`, have), (text) => {
        if (text.includes('"reason":"bench')) arrivals.push(performance.now() - told);
      }),
    ),
  );
  await sleep(2_000);
  await steady(agents, followers);

  for (let change = 0; change < CHANGES; change++) {
    const before = arrivals.length;
    const instances = [{ ...instance(change % watsons, 0), state: "down", reason: `bench ${change}` }];
    told = performance.now();
    agents[change % watsons]?.send({ type: "update", seq: 2 + change, instances });
    while (arrivals.length < before + subscribers) await sleep(5);
  }
  const at = (share: number): string => `${quantile(arrivals, share).toFixed(1)} ms`;
  print("one change", `to ${subscribers} subscribers: median ${at(0.5)}, 99% within ${at(0.99)}, last ${at(1)}`);
  print(`back after ${CHANGES} changes`, await returning(have));
  print("back after none", await returning((await directory.status()).directory));
  print("memory", `${Math.round(await directory.peakMb())} MB at its peak`);
  printLoad();
}

/** What goes over all links while nothing changes. */
async function steady(agents: readonly RawClient[], followers: readonly RawClient[]): Promise<void> {
  const steadyMs = Number(values.steady) * 1_000;
  const all = { watson: agents, subscriber: followers };
  for (const client of Object.values(all).flat()) client.reset();
  const [cpuMs, written] = [await directory.cpuMs(), await directory.writtenBytes()];
  await sleep(steadyMs);
  let messages = 0;
  for (const [kind, clients] of Object.entries(all)) {
    const sum = (of: (client: RawClient) => number): number => clients.reduce((total, one) => total + of(one), 0);
    const told = sum((client) => client.messages);
    messages += told;
    const bytes = `${sum((one) => one.received)} bytes to them and ${sum((one) => one.sent)} from them`;
    print(
      `${seconds(steadyMs)}, each ${kind}`,
      `${(sum((one) => one.pings) / clients.length).toFixed(1)} heartbeats; ${told} messages to all ${clients.length}; ${bytes}`,
    );
  }
  isQuiet = messages === 0;
  const cpu = (((await directory.cpuMs()) - cpuMs) / steadyMs) * 100;
  const onDisk = (await directory.writtenBytes()) - written;
  print("the directory meanwhile", `${cpu.toFixed(1)}% of one core, ${onDisk} bytes written to disk`);
}

async function register(index: number): Promise<RawClient> {
  const registered = Promise.withResolvers<void>();
  const identity = { kind: "watson", name: `vm${index}` };
  const client = await openClient(port, identity, (text) => {
    if (text.startsWith('{"type":"registered"')) registered.resolve();
  });
  const instances = Array.from({ length: each }, (_, i) => instance(index, i));
  client.send({ type: "register", seq: 1, instances });
  await registered.promise;
  return client;
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

interface Position {
  readonly epoch: string;
  readonly revision: number;
}

function subscriber(name: string, have: Position | null) {
  return { kind: "sherlock", name, subscribe: { services: null, have } };
}

/** How long a whole table takes to arrive at a new subscriber, and how large it is. */
async function snapshot(): Promise<string> {
  const start = performance.now();
  const complete = Promise.withResolvers<void>();
  const client = await openClient(port, subscriber("newcomer", null), (text) => {
    if (text.startsWith('{"type":"snapshot"') && text.slice(0, 200).includes('"last":true')) complete.resolve();
  });
  await complete.promise;
  const took = since(start);
  client.end();
  return `${megabytes(client.received)} in ${took}`;
}

/** What a subscriber is sent that comes back with the table of a revision. */
async function returning(have: Position): Promise<string> {
  const { revision } = (await directory.status()).directory;
  const start = performance.now();
  const complete = Promise.withResolvers<void>();
  const client = await openClient(port, subscriber("returner", have), (text) => {
    if (text.startsWith('{"type":"delta"') && text.includes(`"revision":${revision},`)) complete.resolve();
  });
  await complete.promise;
  const took = since(start);
  client.end();
  return `${client.received} bytes in ${client.messages} messages, ${took}`;
}

function since(startMs: number): string {
  return seconds(performance.now() - startMs);
}
