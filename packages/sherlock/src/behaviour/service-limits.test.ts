import { createServer, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { takesInstances } from "../core/model/haproxy-version.ts";
import { change, instance, service, catalogOf } from "../testing/entities.ts";
import { type Answer, ask } from "../testing/ask.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { Servers } from "../testing/servers.ts";

/** What the limits of a service do in HAProxy, for servers of its configuration and for those that came at run time. */

let folder: string;
let machine: Machine;
const servers = new Servers();

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await machine.stop();
  servers.close();
  await removeFolder(folder);
});

async function start(table: Catalog): Promise<Machine> {
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
  return machine;
}

async function listen(server: Server): Promise<string> {
  return `http://127.0.0.1:${await servers.listen(server)}`;
}

const get = (path: string): Promise<Answer> => ask(machine.port, path, { accept: "application/json" });

/** An instance that holds what it is asked until it is told to answer. */
async function startHolding(): Promise<{ url: string; held: ServerResponse[]; release(): void }> {
  const held: ServerResponse[] = [];
  const url = await listen(createServer((_, res) => void held.push(res)));
  return { url, held, release: () => held.shift()?.end("done") };
}

test.each(["of the configuration", "that came at run time"])(
  "max_connections bounds what is at an instance %s; the others wait, for queue_timeout at most",
  async (which) => {
    const { url, held, release } = await startHolding();
    const settings = { maxConnections: 1, queueTimeoutMs: 300, retries: 0 };
    const there = service("s", { settings });
    const other = instance("s", "other", { url: "http://127.0.0.1:1", state: "down" });
    const late = which === "that came at run time";
    const table = late ? catalogOf(there, other) : catalogOf(there, other, instance("s", "a", { url }));
    const { follow } = await start(table);
    if (late) await follow(table.apply(change(instance("s", "a", { url }))));

    const first = get("/s/1");
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    const startedMs = performance.now();
    const refused = await get("/s/2");
    expect([refused.status, refused.headers["retry-after"], JSON.parse(refused.body)]).toEqual([
      503,
      "1",
      {
        error: "no live instance",
        service: "s",
        reason: expect.stringMatching(/1 at a time \(max_connections\) .* 300ms \(queue_timeout\)/),
      },
    ]);
    expect(performance.now() - startedMs).toBeGreaterThan(280);
    expect(held).toHaveLength(1);

    const waiting = get("/s/3");
    release();
    expect((await first).status).toBe(200);
    await expect.poll(() => held.length, { interval: 5 }).toBe(1);
    release();
    expect((await waiting).status).toBe(200);
  },
);

/** How many of so many requests, one after the other, an instance got. */
async function countOf(name: string, requests: number): Promise<number> {
  let count = 0;
  for (let i = 0; i < requests; i++) if ((await get("/s/")).body === name) count++;
  return count;
}

const SLOW_START_MS = 6_000;

/** Of so many requests, what an instance may have at the most that began to grow so long ago; HAProxy counts in seconds. */
function grownShare(requests: number, ms: number): number {
  const weight = Math.min(1, (Math.floor(ms / 1_000) + 1) / (SLOW_START_MS / 1_000) + 1 / 16);
  return (requests * weight) / (1 + weight);
}

test("slow_start lets an instance that comes, or comes back, grow to its share", async () => {
  const url = (name: string): Promise<string> => listen(createServer((_, res) => void res.end(name)));
  const [a, b] = [await url("a"), await url("b")];
  const table = catalogOf(service("s", { settings: { slowStartMs: SLOW_START_MS } }), instance("s", "a", { url: a }));
  const { follow, features } = await start(table);
  const comesAndGrows = async (few: number): Promise<void> => {
    const beganMs = performance.now();
    await follow(table.apply(change(instance("s", "b", { url: b, order: 1 }))));
    const early = await countOf("b", 40);
    expect(early).toBeLessThanOrEqual(Math.max(few, 1 + grownShare(40, performance.now() - beganMs)));
    await expect.poll(() => countOf("b", 20), { interval: 100 }).toBeGreaterThanOrEqual(8);
  };
  // A reload starts all servers at their full weight.
  await comesAndGrows(takesInstances(features) ? 10 : 40);
  await follow(table.apply(change(instance("s", "b", { url: b, order: 1, state: "down" }))));
  expect(await countOf("b", 10)).toBe(0);
  // With a backend for each instance the draw chooses, which knows of no slow start.
  await comesAndGrows(features.hostFromName ? 10 : 40);
});
