/**
 * What one directory holds of connected libraries, some of them of the original protocol, and how long one change takes to
 * all of them:
 *
 *     node bench/mdk-directory.ts [--libraries 9000] [--originals 1000] [--instances 200] [--changes 20]
 *
 * A real directory in a process of its own, with its embedded store; all clients share this process, which on a machine
 * with two cores has the other one. Fails when 99% of a change's arrivals take more than 250 ms.
 */
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { LightClient } from "./harness/light-client.ts";
import { print, printLoad, seconds } from "./harness/print.ts";
import { type RawClient, openClient } from "./harness/raw-client.ts";
import { wanted } from "./harness/size.ts";
import { median, quantile } from "./stats.ts";

const { values } = parseArgs({
  options: {
    libraries: { type: "string", default: "9000" },
    originals: { type: "string", default: "1000" },
    instances: { type: "string", default: "200" },
    changes: { type: "string", default: "20" },
  },
});
const libraries = Number(values.libraries);
const originals = Number(values.originals);
const instances = Number(values.instances);
const changes = Number(values.changes);

const PROMISED_MS = 250;
/** How many connect at the same time. */
const TOGETHER = 100;

const [port = 0] = await freePorts(1);
const directory = await DirectoryProcess.create(port);
const clients: LightClient[] = [];
/** Of each kind, when the change in question arrived. */
const arrivals: Record<"libraries" | "originals", number[]> = { libraries: [], originals: [] };
let mark = "no change yet";
let isKept = false;
try {
  await directory.start();
  await run();
} finally {
  for (const client of clients) client.end();
  await directory.dispose();
}
process.exit(isKept ? 0 : 1);

async function run(): Promise<void> {
  const watson = await register();
  await eventually(async () => wanted((await directory.status()).directory.state === "ready", "warming"));
  const emptyMb = await directory.memoryMb();
  let startMs = performance.now();
  await openAll(libraries, openLibrary);
  print("libraries connected", `${libraries}, each with ${instances} instances, in ${since(startMs)}`);
  const withLibrariesMb = await directory.memoryMb();
  startMs = performance.now();
  await openAll(originals, openOriginal);
  print("originals connected", `${originals}, each with all of them, in ${since(startMs)}`);
  const withAllMb = await directory.memoryMb();
  await sleep(3_000);

  const all: number[] = [];
  const p99s: number[] = [];
  const cpuMs: number[] = [];
  const byKind: Record<string, number[]> = { libraries: [], originals: [] };
  for (let change = 0; change < changes; change++) {
    arrivals.libraries = [];
    arrivals.originals = [];
    mark = `bench-${change}-`;
    const cpuBefore = await directory.cpuMs();
    const told = performance.now();
    watson.send({ type: "update", seq: 2 + change, instances: [instance(`${mark}new`, change)] });
    const count = (): number => arrivals.libraries.length + arrivals.originals.length;
    await eventually(() => wanted(count() === libraries + originals, `${count()} were told of ${mark}`));
    const times = Object.entries(arrivals).map(([kind, at]): [string, number[]] => [kind, at.map((ms) => ms - told)]);
    for (const [kind, ms] of times) byKind[kind]?.push(...ms);
    const one = times.flatMap(([, ms]) => ms);
    all.push(...one);
    p99s.push(quantile(one, 0.99));
    await sleep(500);
    cpuMs.push((await directory.cpuMs()) - cpuBefore);
  }
  for (const [kind, ms] of Object.entries({ all, ...byKind })) {
    const at = (share: number): string => `${quantile(ms, share).toFixed(0)} ms`;
    print(`one change to ${kind}`, `median ${at(0.5)}, 99% within ${at(0.99)}, last ${at(1)} (n=${ms.length})`);
  }
  const each = p99s.map((ms) => ms.toFixed(0)).join(", ");
  print("99% of each change", `${each} ms; median ${median(p99s).toFixed(0)} ms`);
  print("the directory's CPU", `${median(cpuMs).toFixed(0)} ms a change`);
  const peak = Math.round(await directory.peakMb());
  print(
    "memory",
    `${[emptyMb, withLibrariesMb, withAllMb].map(Math.round).join(", ")} MB with none, libraries, all; peak ${peak} MB`,
  );
  printLoad();
  isKept = quantile(all, 0.99) <= PROMISED_MS;
}

async function register(): Promise<RawClient> {
  const registered = Promise.withResolvers<void>();
  const watson = await openClient(port, { kind: "watson", name: "vm" }, (text) => {
    if (text.startsWith('{"type":"registered"')) registered.resolve();
  });
  const all = Array.from({ length: instances }, (_, i) => instance(`vm-${i}`, i));
  watson.send({ type: "register", seq: 1, instances: all });
  await registered.promise;
  return watson;
}

function instance(name: string, index: number) {
  const url = `http://${name}.example.com:8000/base`;
  return {
    service: `service-${index % 100}`,
    name,
    version: "1.4.2",
    url,
    state: "live",
    zone: "us-east-1a",
    tags: [],
  };
}

/** Opens so many, some at a time. */
async function openAll(count: number, open: (index: number) => Promise<LightClient>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) clients.push(await open(next++));
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
}

/** Resolves once it has its table. */
async function openLibrary(index: number): Promise<LightClient> {
  const complete = Promise.withResolvers<void>();
  let isComplete = false;
  const client = await LightClient.open(port, "/v1/link", (payload) => {
    if (isComplete) return arrived("libraries", payload);
    const text = payload.toString("latin1", 0, 200);
    if (text.startsWith('{"type":"error"')) complete.reject(new Error(text));
    if (!text.startsWith('{"type":"snapshot"') || !text.includes('"last":true')) return;
    isComplete = true;
    complete.resolve();
  });
  const identity = { kind: "library", name: "shop", id: `bench-library-${index}`, version: "0" };
  client.send({ type: "hello", link: { min: 1, max: 1 }, ...identity, subscribe: { services: null, have: null } });
  await complete.promise;
  return client;
}

/** Resolves once it was told of all instances. */
async function openOriginal(index: number): Promise<LightClient> {
  const complete = Promise.withResolvers<void>();
  let told = 0;
  const client = await LightClient.open(port, "/rtp", (payload) => {
    if (told >= instances) return arrived("originals", payload);
    if (!payload.toString("latin1", 0, 60).includes('"active"')) return;
    told += 1;
    if (told >= instances) complete.resolve();
  });
  client.send({
    type: "open",
    version: "2.0.0",
    mdkVersion: "2.0.37",
    nodeId: `bench-original-${index}`,
    properties: {},
  });
  await complete.promise;
  return client;
}

function arrived(kind: keyof typeof arrivals, payload: Buffer): void {
  if (payload.includes(mark)) arrivals[kind].push(performance.now());
}

function since(startMs: number): string {
  return seconds(performance.now() - startMs);
}
