/**
 * What subscribers and Watsons notice when a directory is killed with -9 and started again:
 *
 *     node bench/restart.ts [--watsons 1000] [--each 100] [--services 5000] [--subscribers 1000] [--followers 2]
 *         [--changes 2]
 *
 * A real directory with its embedded store; all clients are in this process, over the link that the real ones use.
 * `followers` of the subscribers have a whole copy of the table, and count it after every message. The first round is
 * calm, in the others instances change all the time. Fails when any follower ever sees a smaller table, or when not all
 * is as before within one lease of the start.
 */
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { Fleet } from "./harness/fleet.ts";
import { megabytes, print, printLoad, seconds } from "./harness/print.ts";
import { sizeOf, sizeOptions, wanted } from "./harness/size.ts";
import { Follower, KnownTables, LightFollower } from "./harness/subscribers.ts";
import { quantile } from "./stats.ts";

const { values } = parseArgs({
  options: {
    ...sizeOptions,
    subscribers: { type: "string", default: "1000" },
    followers: { type: "string", default: "2" },
    changes: { type: "string", default: "2" },
  },
});
const size = sizeOf(values);
/** How many instances change in a second, in the rounds that are not calm. All subscribers read each in this process. */
const changesASecond = Number(values.changes);
const LEASE_MS = 15_000;
const instances = size.watsons * size.each;

const [port = 0] = await freePorts(1);
const directory = await DirectoryProcess.create(port);
const stopping = new AbortController();
const missed: string[] = [];
let changed = 0;
try {
  await run();
} finally {
  await directory.dispose();
}
for (const one of missed) console.error(`MISSED: ${one}`);
process.exit(missed.length === 0 ? 0 : 1);

async function run(): Promise<void> {
  await directory.start();
  const replicas = [directory.address];
  const fleet = new Fleet(size, { replicasOf: () => replicas });
  await eventually(() => wanted(fleet.registered === size.watsons, "not all are registered"));
  // The primaries of all services are decided, and the directory is no longer warming up.
  await eventually(async () => wanted((await directory.status()).directory.state === "ready", "warming"));

  const tables = new KnownTables();
  const followers = await Promise.all(
    Array.from({ length: Number(values.followers) }, (_, i) => Follower.open(i === 0 ? tables : undefined)),
  );
  followers.forEach((follower, i) => void follower.run(`follower-${i}`, replicas, stopping.signal));
  await eventually(() =>
    wanted(
      followers.every(({ census }) => census.usable === instances),
      "no table",
    ),
  );
  const have = followers[0]?.have();
  if (have === undefined) throw new Error("Cannot measure without a follower");
  const light = Array.from(
    { length: Number(values.subscribers) - followers.length },
    () => new LightFollower(have, tables),
  );
  light.forEach((one, i) => void one.run(`subscriber-${i}`, replicas, stopping.signal));
  await eventually(() =>
    wanted(
      light.every(({ followed }) => followed),
      "not all follow",
    ),
  );
  print(
    "before",
    `${instances} instances at ${followers.length + light.length} subscribers, ${Math.round(await directory.peakMb())} MB`,
  );

  for (const changing of [false, true, true]) await round({ fleet, followers, light, changing });
}

interface World {
  readonly fleet: Fleet;
  readonly followers: readonly Follower[];
  readonly light: readonly LightFollower[];
  readonly changing: boolean;
}

async function round({ fleet, followers, light, changing }: World): Promise<void> {
  const all = [...followers, ...light];
  const ending = new AbortController();
  const changes = changing ? change(fleet, ending.signal) : Promise.resolve();
  await sleep(3_000);
  for (const { census } of followers) census.reset();
  for (const { traffic } of all) traffic.reset();
  print(`--- round, ${changing ? `${changesASecond} changes a second` : "calm"}`, "");

  await directory.kill();
  const killedMs = performance.now();
  await sleep(1_000);
  const startingMs = performance.now();
  await directory.start();
  print("ready after its start", seconds(performance.now() - startingMs));
  await eventually(() => wanted(fleet.registered === size.watsons, "not all are registered"));
  const returned = fleet.watsons.map(({ registeredMs }) => (registeredMs ?? Number.POSITIVE_INFINITY) - startingMs);
  print(
    "Watsons registered again",
    `median ${seconds(quantile(returned, 0.5))}, the last ${seconds(Math.max(...returned))} after the start`,
  );
  await eventually(() => {
    wanted(
      followers.every(({ connected }) => connected),
      "not all followers are connected",
    );
    wanted(
      light.every((one) => one.followed),
      "not all subscribers follow",
    );
  });
  print("subscribers follow again", `${seconds(performance.now() - startingMs)} after the start, at the latest`);
  await eventually(async () => {
    const { revision } = (await directory.status()).directory;
    wanted(
      followers.every(({ census }) => census.lost === 0),
      "some are lost",
    );
    wanted(changing || followers.every(({ position }) => position?.revision === revision), "not all are up to date");
  });
  const settledMs = performance.now() - startingMs;
  print("settled", `${seconds(settledMs)} after the start, ${seconds(performance.now() - killedMs)} after the kill`);
  if (settledMs > LEASE_MS) missed.push(`settled after ${seconds(settledMs)}, wanted one lease, ${seconds(LEASE_MS)}`);

  // Until the warm-up is over, when what a follower kept beyond what it was told goes.
  await eventually(async () => wanted((await directory.status()).directory.state === "ready", "warming"));
  await sleep(2_000);
  ending.abort();
  await changes;
  await sleep(1_000);
  const smallest = Math.min(...followers.map(({ census }) => census.smallest));
  const mostLost = Math.max(...followers.map(({ census }) => census.mostLost));
  print("smallest table at any moment", `${smallest} of ${instances} instances; at the most ${mostLost} of them lost`);
  if (smallest < instances) missed.push(`a subscriber saw ${smallest} of ${instances} instances`);
  const hashes = new Set(followers.map((follower) => follower.have().hash));
  if (hashes.size > 1) missed.push("the followers have different tables");
  if (followers.some(({ divergences }) => divergences > 0))
    missed.push("a follower had another table than the directory");
  const bytes = all.map(({ traffic }) => traffic.bytes);
  const messages = all.map(({ traffic }) => traffic.messages);
  print(
    "sent to a subscriber",
    `median ${quantile(bytes, 0.5)} bytes in ${quantile(messages, 0.5)} messages, at the most ${Math.max(...bytes)}; ${megabytes(bytes.reduce((a, b) => a + b, 0))} to all`,
  );
  print(
    "directory",
    `${Math.round(await directory.peakMb())} MB at its peak, ${seconds(await directory.cpuMs())} of CPU`,
  );
  printLoad();
}

/** Changes the weight of instances all over the fleet, which says nothing of whether they live. */
async function change(fleet: Fleet, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    changed += 1;
    const watson = fleet.watsons[(changed * 37) % fleet.watsons.length];
    watson?.change(changed % size.each, { weight: 1 + (changed % 256) });
    await sleep(1_000 / changesASecond);
  }
}
