import { Agent } from "undici";
import { sleep } from "../../e2e/harness/wait.ts";
import { cpuUs, tree } from "../cpu.ts";
import { pssMb } from "../memory.ts";
import { median } from "../stats.ts";
import { ask, untilAnswered } from "./ask.ts";
import { Backends } from "./backends.ts";
import type { Backend, Peer, Running, World } from "./peer.ts";

/** One peer's column of the table; null where it cannot. */
export interface Figures {
  readonly startMs: number;
  readonly memoryMb: number;
  readonly cpuPercent: number;
  readonly registrationMs: number;
  readonly newServiceMs: number;
  /** After an instance has died: requests that failed, of `DEATH_REQUESTS`. */
  readonly deathFailed: number;
  /** Of 10,000 requests, beside 50 instances that get the rest. */
  readonly sharePercent: number | null;
  /** Of 1,000 requests after the registry has gone. */
  readonly outageFailed: number | null;
}

interface Options {
  readonly idleSeconds: number;
  readonly repeats: number;
}

const SERVICES = 10;
const SHARED = "shared";
const SHARED_INSTANCES = 50;
export const SHARE_PERCENT = 1;
export const DEATH_REQUESTS = 2_000;
const SHARE_REQUESTS = 10_000;
const OUTAGE_REQUESTS = 1_000;
const SETTLE_MS = 10_000;
const AT_ONCE = 8;
/** Between two changes: an HAProxy that is told to reload while it does so forgets the second. */
const CALM_MS = 500;

/** Measures one peer from its start to the end of its registry. */
export async function measure(peer: Peer, world: World, { idleSeconds, repeats }: Options): Promise<Figures> {
  const backends = new Backends();
  try {
    const first = await Promise.all(Array.from({ length: SERVICES }, (_, i) => backends.start(`service${i}`)));
    const prepared = await peer.prepare(world);
    const begin = performance.now();
    const running = await prepared.start(first);
    for (const { service } of first) await untilAnswered(running.route(service));
    const startMs = performance.now() - begin;
    const idle = await idleFloor(running, idleSeconds);
    const registrations: number[] = [];
    const news: number[] = [];
    for (let i = 0; i < repeats; i++)
      registrations.push(await registration(running, backends, `service${i % SERVICES}`));
    for (let i = 0; i < repeats; i++) news.push(await newService(running, backends, `fresh${i}`));
    const deathFailed = await death(running, backends, "service0");
    const sharePercent = await share(running, backends);
    return {
      startMs,
      ...idle,
      registrationMs: median(registrations),
      newServiceMs: median(news),
      deathFailed,
      sharePercent,
      outageFailed: await outage(running),
    };
  } finally {
    backends.end();
  }
}

async function idleFloor({ pids }: Running, seconds: number): Promise<Pick<Figures, "memoryMb" | "cpuPercent">> {
  await sleep(SETTLE_MS);
  const all = tree(...pids);
  const [before, from] = [cpuUs(all), performance.now()];
  await sleep(seconds * 1_000);
  const cpuPercent = (cpuUs(all) - before) / (performance.now() - from) / 10;
  return { memoryMb: all.reduce((sum, pid) => sum + pssMb(pid), 0), cpuPercent };
}

/**
 * From an instance that is made known to the first request that it answers. Each is the second one of another service:
 * with each more there, requests that come one after the other would take longer until its turn.
 */
async function registration(running: Running, backends: Backends, service: string): Promise<number> {
  const backend = await backends.start(service);
  await sleep(CALM_MS);
  const begin = performance.now();
  await running.add([backend]);
  await untilAnswered(running.route(service), (by) => by === backend.name);
  return performance.now() - begin;
}

async function newService(running: Running, backends: Backends, service: string): Promise<number> {
  const backend = await backends.start(service);
  await sleep(CALM_MS);
  const begin = performance.now();
  await running.add([backend]);
  // By its own instance: a proxy may have an answer of another for what it does not know.
  await untilAnswered(running.route(service), (by) => by === backend.name);
  return performance.now() - begin;
}

/** One of several instances dies under load. */
async function death(running: Running, backends: Backends, service: string): Promise<number> {
  const name = (await ask(running.route(service))) ?? "";
  backends.kill(name);
  return (await many(running, service, DEATH_REQUESTS)).filter((by) => by === null).length;
}

async function share(running: Running, backends: Backends): Promise<number | null> {
  if (running.share === undefined) return null;
  const old = await Promise.all(Array.from({ length: SHARED_INSTANCES }, () => backends.start(SHARED)));
  const added: Backend[] = [...old, await backends.start(SHARED, { isNew: true })];
  await sleep(CALM_MS);
  await running.add(added);
  await untilAnswered(running.route(SHARED));
  await sleep(CALM_MS);
  await running.share(SHARED, SHARE_PERCENT);
  const fresh = added.at(-1)?.name ?? "";
  // It is in force once it is seen.
  await untilAnswered(running.route(SHARED), (by) => by === fresh);
  const answers = await many(running, SHARED, SHARE_REQUESTS);
  return (answers.filter((by) => by === fresh).length / answers.length) * 100;
}

/** The registry dies; null for those that have none. */
async function outage(running: Running): Promise<number | null> {
  if (running.registry === null) return null;
  process.kill(running.registry, "SIGKILL");
  await sleep(SETTLE_MS / 2);
  return (await many(running, "service1", OUTAGE_REQUESTS)).filter((by) => by === null).length;
}

/** Asks so many times, some at once over connections that are kept. */
async function many(running: Running, service: string, count: number): Promise<(string | null)[]> {
  const dispatcher = new Agent({ connections: AT_ONCE });
  const route = running.route(service);
  const answers: (string | null)[] = [];
  const one = async (): Promise<void> => {
    while (answers.length < count) answers.push(await ask(route, dispatcher));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  await dispatcher.close();
  return answers.slice(0, count);
}
