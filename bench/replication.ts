/**
 * What three directories over one etcd hold, how fast they tell each other, and what is noticed when each is killed:
 *
 *     node bench/replication.ts [--watsons 1000] [--each 100] [--services 5000] [--changes 200]
 *
 * Real directories and a real etcd; all clients are in this process, over the link that the real ones use. Watsons and
 * one subscriber of each directory have all three in their lists; the subscriber keeps to its directory and counts its
 * table after every message. Fails when a registration is missing or a lookup fails at any moment.
 */
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import type { DirectoryAddress } from "@datawire/protocol";
import { startEtcd } from "../e2e/harness/etcd.ts";
import { freePorts } from "@datawire/runtime/testing";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { Fleet } from "./harness/fleet.ts";
import { startLookups } from "./harness/lookups.ts";
import { megabytes, print, printLoad, seconds } from "./harness/print.ts";
import { sizeOf, sizeOptions, wanted } from "./harness/size.ts";
import { Follower } from "./harness/subscribers.ts";
import { quantile } from "./stats.ts";

const { values } = parseArgs({ options: { ...sizeOptions, changes: { type: "string", default: "200" } } });
const size = sizeOf(values);
const changes = Number(values.changes);
const instances = size.watsons * size.each;
const STEADY_MS = 10_000;
const CLIENTS = 4;

const missed: string[] = [];
const stopping = new AbortController();
const etcd = await startEtcd();
const ports = await freePorts(3);
const directories = await Promise.all(
  ports.map((port) => DirectoryProcess.create(port, { store: { etcd: [etcd.url] } })),
);
try {
  await run();
} finally {
  await Promise.all(directories.map((directory) => directory.dispose()));
  await etcd.dispose();
}
for (const one of missed) console.error(`MISSED: ${one}`);
process.exit(missed.length === 0 ? 0 : 1);

async function run(): Promise<void> {
  await Promise.all(directories.map((directory) => directory.start()));
  const startMs = performance.now();
  const fleet = new Fleet(size, { replicasOf: listFrom });
  const known = directories.map((directory) =>
    eventually(async () => {
      wanted((await directory.status()).counts.instances === instances, "not all are known");
      return performance.now() - startMs;
    }),
  );
  const answered = eventually(() => {
    wanted(fleet.registered === size.watsons, "not all are registered");
    print("all Watsons answered", `${seconds(performance.now() - startMs)}, ${instances} instances`);
  });
  const [knownMs] = await Promise.all([Promise.all(known), answered]);
  print("known at all three", seconds(Math.max(...knownMs)));
  await warm();
  await steady();

  const followers = await Promise.all(directories.map(() => Follower.open()));
  followers.forEach((follower, i) => {
    const { address } = directories[i] as DirectoryProcess;
    void follower.run(`follower-${i}`, [address], stopping.signal);
  });
  await eventually(() =>
    wanted(
      followers.every(({ census }) => census.usable === instances),
      "no table",
    ),
  );
  await sleep(2_000);
  await propagate(fleet, followers);

  for (const i of directories.keys()) await kill(i, fleet, followers);
  const peaks = await Promise.all(directories.map((directory) => directory.peakMb()));
  print("memory of each directory", `${peaks.map(Math.round).join(", ")} MB at its peak since its last start`);
  print("database of etcd", megabytes(Number((await status()).dbSize)));
  printLoad();
}

/** All directories, another one in front for each client. */
function listFrom(client: number): DirectoryAddress[] {
  return directories.map((_, i) => (directories[(client + i) % directories.length] as DirectoryProcess).address);
}

async function warm(): Promise<void> {
  await eventually(async () => {
    const all = await Promise.all(directories.map((directory) => directory.status()));
    wanted(
      all.every(({ directory }) => directory.state === "ready"),
      "warming",
    );
  });
}

async function steady(): Promise<void> {
  const before = await status();
  await sleep(STEADY_MS);
  const writes = Number((await status()).header.revision) - Number(before.header.revision);
  print("writes of a steady state", `${writes} to etcd in ${seconds(STEADY_MS)}`);
}

/** A change at each directory in turn, until the subscriber of the next one has it. */
async function propagate(fleet: Fleet, followers: readonly Follower[]): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < changes; n++) {
    const watson = fleet.watsons[(n * 37) % fleet.watsons.length];
    const at = ports.indexOf(watson?.directory ?? 0);
    const follower = followers[(at + 1) % followers.length];
    const described = watson?.instances[n % size.each];
    if (watson === undefined || follower === undefined || described === undefined) throw new Error("nothing to change");
    const key = `${described.service}@${described.name}`;
    const startMs = performance.now();
    watson.change(n % size.each, { weight: 1 + (n % 99) });
    await follower.until((table) => table.instance(key)?.weight === 1 + (n % 99));
    times.push(performance.now() - startMs);
    await sleep(20);
  }
  const at = (share: number): string => `${quantile(times, share).toFixed(1)} ms`;
  print("a change, at another one", `median ${at(0.5)}, 99% within ${at(0.99)}, the last ${at(1)} (n=${times.length})`);
}

async function kill(index: number, fleet: Fleet, followers: readonly Follower[]): Promise<void> {
  const directory = directories[index] as DirectoryProcess;
  const itsOwn = fleet.watsons.filter((watson) => watson.directory === directory.port);
  for (const { census, traffic } of followers) {
    census.reset();
    traffic.reset();
  }
  const lookups = startLookups(
    Array.from({ length: CLIENTS }, (_, i) => listFrom(i)),
    {
      services: size.services,
      instances: Math.floor(instances / size.services),
    },
  );
  await sleep(1_000);
  print(`--- directory ${index + 1} is killed`, `with ${itsOwn.length} Watsons`);
  await directory.kill();
  const killedMs = performance.now();
  await eventually(() => wanted(fleet.registered === size.watsons, "not all are registered"));
  const moved = itsOwn.map(({ registeredMs }) => (registeredMs ?? Number.POSITIVE_INFINITY) - killedMs);
  print(
    "its Watsons at another one",
    `median ${seconds(quantile(moved, 0.5))}, the last ${seconds(Math.max(...moved))}`,
  );
  await sleep(6_000); // more than the third of a lease after which a Watson without a directory would be lost

  const startMs = performance.now();
  await directory.start();
  print("ready after its start", seconds(performance.now() - startMs));
  await eventually(() => wanted(followers[index]?.connected === true, "not connected"));
  await warm();
  await sleep(1_000);
  const { lookups: count, failures, slowestMs } = await lookups.stop();
  print("lookups meanwhile", `${count}, ${failures.length} failed, the slowest ${Math.round(slowestMs)} ms`);
  if (failures.length > 0) missed.push(`${failures.length} lookups failed, such as: ${failures[0]}`);
  const smallest = Math.min(...followers.map(({ census }) => census.smallest));
  const mostLost = Math.max(...followers.map(({ census }) => census.mostLost));
  print("smallest table at any moment", `${smallest} of ${instances} instances; at the most ${mostLost} of them lost`);
  if (smallest < instances) missed.push(`a subscriber saw ${smallest} of ${instances} instances`);
  const counts = await Promise.all(directories.map(async (one) => (await one.status()).counts.instances));
  if (counts.some((known) => known !== instances)) missed.push(`the directories know ${counts.join(", ")} instances`);
  const traffic = followers[index]?.traffic;
  print("sent to its subscriber", `${traffic?.bytes} bytes in ${traffic?.messages} messages, after it came back`);
}

interface EtcdStatus {
  readonly header: { readonly revision: string };
  readonly dbSize: string;
}

async function status(): Promise<EtcdStatus> {
  return (await etcd.call("/v3/maintenance/status", {})) as EtcdStatus;
}
