import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { takesInstances } from "../core/model/haproxy-version.ts";
import { openSampling } from "../report/sampling.ts";
import { CounterDeltas } from "../core/observe/counters.ts";
import { parseStat } from "../core/observe/statistics.ts";
import { ask } from "../testing/ask.ts";
import { type Echo, startEcho } from "../testing/echo.ts";
import { catalogOf, change, type Entity, instance, routes, service } from "../testing/entities.ts";
import { type Machine, type MachineOptions, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/** What is new stands in a spare backend at once, and in one of its own after the reload that makes new spare ones. */

let folder: string;
let port: number;
let machine: Machine;
let echoes: Echo[];
let table: Catalog;
let stopped: AbortController;
let callers: Promise<void>[];
let failures: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  port = await freePort();
  echoes = await Promise.all(["one", "two", "three"].map((name) => startEcho(name)));
  stopped = new AbortController();
  callers = [];
  failures = [];
});

afterEach(async () => {
  stopped.abort();
  await Promise.all(callers);
  await machine.stop();
  await Promise.all(echoes.map((echo) => echo.close()));
  await removeFolder(folder);
});

const urlOf = (i: number): string => (echoes[i] as Echo).url;

async function start(entities: readonly Entity[], options: Partial<MachineOptions> = {}): Promise<void> {
  table = catalogOf(...entities);
  machine = await startMachine({ table, runDir: folder, port, spares: 8, ...options });
}

const follow = (...entities: readonly Entity[]): Promise<void> => machine.follow(table.apply(change(...entities)));

const leave = (name: string): Promise<void> =>
  machine.follow(
    table.apply({ ...change(), gone: { services: [name], instances: [`${name}@${name}-i`], tables: [] } }),
  );

/** A service with an instance, which is new. */
const made = (name: string, i = 0): Entity[] => [service(name), instance(name, `${name}-i`, { url: urlOf(i) })];

/** Asks for a path without end, until the test is over; every answer that is none of an instance is a failure. */
function call(path: string): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const asking = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const { status } = await ask(port, path, {}, agent).catch((error: Error) => ({ status: error.message }));
      if (status !== 200) failures.push(`${path}: ${status}`);
      await sleep(1);
    }
    agent.destroy();
  };
  callers.push(asking());
}

async function calm(): Promise<void> {
  stopped.abort();
  await Promise.all(callers);
  expect(failures).toEqual([]);
}

/** Which instance answers. */
async function answers(path: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, seen } = await ask(port, path, headers);
  return seen?.name ?? String(status);
}

/** service → how many requests HAProxy has counted for its instances, by their names. */
async function counted(): Promise<Record<string, number>> {
  const counts = parseStat(await machine.process.runtime.ask("show stat -1 4 -1"), machine.names.own);
  const lines = new CounterDeltas().take(counts, (backend, server) => machine.planning.serverOf(backend, server));
  return Object.fromEntries(lines.map(({ service: name, instance: by, requests }) => [`${name}@${by}`, requests]));
}

const S = (): Entity[] => [service("s"), instance("s", "s-i", { url: urlOf(0) })];

/** Where instances take a reload anyway there are no spare backends. */
function expectReloads(count: number): void {
  if (takesInstances(machine.features)) expect(machine.reloads.length).toBe(count);
}

/** Waits for the reload that makes new spare backends, and for the end of the worker before it. */
async function refilled(): Promise<void> {
  if (takesInstances(machine.features)) await expect.poll(() => machine.reloads).toMatchObject([{ reason: "spares" }]);
  await machine.settled();
}

/** Ends an instance of which nobody has told yet. */
async function end(i: number): Promise<void> {
  await (echoes[i] as Echo).close();
}

test("twenty new services under load are served at once, and nothing fails when a reload makes new spare backends", async () => {
  await start(S(), { spares: 32, refillMs: 600 });
  for (const path of ["/s/1", "/s/2", "/s/3"]) call(path);
  for (let i = 1; i <= 20; i++) {
    await follow(...made(`new${i}`, i % 3));
    expect(await answers(`/new${i}/`)).toBe(["one", "two", "three"][i % 3]);
    call(`/new${i}/x`);
    if (i <= 16) expectReloads(0);
  }
  await refilled();
  for (let i = 1; i <= 20; i++) expect(await answers(`/new${i}/`)).toBe(["one", "two", "three"][i % 3]);
  await follow(...made("last"));
  expect(await answers("/last/")).toBe("one");
  expectReloads(1);
  await calm();
});

test("a new service, a new version, a new share and a share into another service need no reload", async () => {
  await start(S());
  await follow(...made("new"));
  expect(await answers("/new/x")).toBe("one");
  await follow(instance("s", "v2", { version: "2", url: urlOf(1), order: 1 }));
  expect(await answers("/s/")).toBe("one");
  await follow(routes("s", { "//s(2)": { share: 10_000 } }));
  expect(await answers("/s/")).toBe("two");
  expect(await answers("/", { host: "s" })).toBe("two");
  await follow(routes("s", { "//new": { share: 10_000 } }));
  expect(await answers("/s/")).toBe("one");
  // Its own group, of one instance that leaves another for it.
  await follow(routes("new", { "//new@new-i": { share: 10_000 } }));
  expect(await answers("/new/")).toBe("one");
  expectReloads(0);
  // Of a group that is none any more it is not known who was in it.
  const counts = { "s@s-i": 1, "s@v2": 2, "new@null": 2, "new@new-i": 1 };
  if (takesInstances(machine.features)) expect(await counted()).toEqual(counts);
});

test("what differs from the default kind waits for its reload as a whole, and what comes with it does not", async () => {
  await start(S());
  await follow(
    service("slow", { settings: { timeoutMs: 5_000 } }),
    instance("slow", "slow-i", { url: urlOf(1) }),
    ...made("new"),
  );
  expect(await answers("/slow/")).toBe("two");
  expect(await answers("/new/")).toBe("one");
  expectReloads(1);
  await follow(
    instance("new", "based", { version: "2", url: `${urlOf(2)}/base`, order: 1 }),
    routes("new", { "//new(2)": { share: 10_000 } }, { sticky: "header:user" }),
  );
  expect((await ask(port, "/new/x", { user: "u" })).seen).toMatchObject({ name: "three", url: "/base/x" });
  expectReloads(2);
  // Another balance of what stands in a spare backend.
  await follow(...made("third"));
  await follow(service("third", { settings: { balance: "least-connections" } }));
  expect(await answers("/third/")).toBe("one");
  expectReloads(3);
});

test("more than there are spare backends for comes with a reload, which makes new ones", async () => {
  await start(S(), { spares: 2 });
  await follow(...made("a"), ...made("b", 1), ...made("c", 2));
  expect([await answers("/a/"), await answers("/b/"), await answers("/c/")]).toEqual(["one", "two", "three"]);
  expectReloads(1);
  await follow(...made("d", 1), ...made("e", 2));
  expect([await answers("/d/"), await answers("/e/")]).toEqual(["two", "three"]);
  expectReloads(1);
});

test("a group in a spare backend that has died leaves its requests to the next one, by path and by Host", async () => {
  await start(S(), { settings: { explain: true } });
  await follow(
    instance("s", "v2", { version: "2", url: urlOf(1), order: 1 }),
    routes("s", { "//s(2)": { share: 10_000 } }),
  );
  const told = async (path: string, headers: Record<string, string>): Promise<unknown> => {
    const answer = await ask(port, path, { ...headers, "x-datawire-explain": "1" });
    const { "x-datawire-target": target, "x-datawire-instance": by, "x-datawire-rule": rule } = answer.headers;
    return { status: answer.status, url: answer.seen?.url, target, by, rule };
  };
  const drawn = { status: 200, url: "/x", target: "//s(2)", by: "v2", rule: "100%, a route for any caller" };
  expect(await told("/s/x", {})).toEqual(drawn);
  expect(await told("/x", { host: "s" })).toEqual(drawn);
  await end(1);
  const fallen = { ...drawn, by: "s-i", rule: `${drawn.rule}; failover` };
  expect(await told("/s/x", {})).toEqual(fallen);
  expect(await told("/x", { host: "s" })).toEqual(fallen);
  // A share into another service comes back from its spare backend.
  await follow(...made("other", 1), routes("s", { "//other": { share: 10_000 } }));
  expect(await told("/s/x", {})).toMatchObject({ status: 200, by: "s-i", target: "//other" });
  expectReloads(0);
});

test("what HAProxy has found dead in a spare backend is known to be dead in the one that it gets of its own", async () => {
  await start(S());
  const dead = new URL(urlOf(2)).host;
  await follow(...made("new", 1), instance("new", "dead", { url: urlOf(2), order: 1 }));
  await end(2);
  const state = async (): Promise<string | undefined> => {
    expect(await answers("/new/")).toBe("two");
    const lines = (await machine.process.runtime.ask("show servers state")).split("\n").map((line) => line.split(" "));
    const [, backend = "", , , , operational] = lines.find(([, , , name]) => name === dead) ?? [];
    return `${machine.names.own(backend)} ${operational}`;
  };
  await expect.poll(state).toBe("new:v1 0");
  await follow(service("slow", { settings: { timeoutMs: 5_000 } }), instance("slow", "slow-i", { url: urlOf(1) }));
  expect(machine.names.inUse("new:v1")).toBe("new:v1");
  expect(await state()).toBe("new:v1 0");
});

test("what is logged and timed of a spare backend has the name of what stands there", async () => {
  await start(S(), { settings: { accessLog: true, percentiles: 1 } });
  const { dir, names } = machine;
  const sampling = await openSampling(1, { dir, names, log: noLog, board: new ProblemBoard() });
  await follow(...made("new"));
  expect(await answers("/new/x%22,%22backend%22:%22spare-1")).toBe("one");
  const timed = new Set<string>();
  const look = (): string[] => {
    for (const [id] of sampling?.take() ?? []) timed.add(id);
    return [...timed];
  };
  await expect.poll(look).toEqual([`new:v1/${new URL(urlOf(0)).host}`]);
  sampling?.close();
  const lines = (): Promise<string> => readFile(dir.accessLog, "utf8").catch(() => "");
  await expect.poll(lines).toMatch(/"backend":"new:v1","instance":"127/);
  expectReloads(0);
});

test("the next Sherlock, and HAProxy when it has ended, know what stands in which spare backend", async () => {
  await start(S());
  await follow(...made("a", 1), ...made("gone"));
  await leave("gone");
  expect(await answers("/a/")).toBe("two");
  const { pid } = machine.process;
  await machine.leave();
  table.apply(change(instance("a", "a-i", { url: urlOf(2) })));
  machine = await startMachine({ table, runDir: folder, port, spares: 8 });
  expect(machine.process.pid).toBe(pid);
  expect(await answers("/a/")).toBe("three");
  await follow(...made("b"));
  expect(await answers("/b/")).toBe("one");
  expectReloads(0);
  if (takesInstances(machine.features)) expect(await counted()).toEqual({ "a@null": 1, "a@a-i": 1, "b@b-i": 1 });
  process.kill(machine.process.pid as number, "SIGKILL");
  await expect.poll(() => machine.process.pid, { interval: 10 }).not.toBe(pid);
  await expect.poll(() => answers("/b/").catch(String)).toBe("one");
  expect(await answers("/a/")).toBe("three");
  await follow(...made("c", 1));
  expect(await answers("/c/")).toBe("two");
  expectReloads(0);
});
