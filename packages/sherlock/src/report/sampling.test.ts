import { readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addHistograms, countOf, type Histogram, quantileOf, toHistogram } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { openSampling, type Sampling } from "./sampling.ts";
import { change, instance, routes, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/** Starting and reloading HAProxy takes a machine with other work its time. */

let folder: string;
let url: string;
/** Ends the responses that have only their head so far. */
let release: () => void;
let machine: Machine | null;
let sampling: Sampling | null;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  machine = null;
  sampling = null;
  // Sends the head after `ms`; with `hold`, the end only when it is released.
  const held = Promise.withResolvers<void>();
  release = held.resolve;
  const server = createServer((req, res) => {
    const query = new URL(req.url ?? "/", "http://x").searchParams;
    setTimeout(
      async () => {
        res.flushHeaders();
        if (query.has("hold")) await held.promise;
        res.end("done");
      },
      Number(query.get("ms") ?? 0),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closers.push(() => server.close());
});

afterEach(async () => {
  sampling?.close();
  await machine?.stop();
  for (const close of closers.splice(0)) close();
  await removeFolder(folder);
});

const deps = ({ dir, names }: Machine) => ({ dir, names, log: noLog, board: new ProblemBoard() });

async function start(table: Catalog, settings: { readonly percentiles: number; readonly accessLog?: boolean }) {
  machine = await startMachine({ table, runDir: folder, port: await freePort(), settings });
  sampling = await openSampling(settings.percentiles, deps(machine));
  return { machine, sampling: sampling as Sampling };
}

/** Takes until so many requests have been told of, and a little longer, since none may be told twice. */
async function taken(from: Sampling, requests: number): Promise<Map<string, Histogram>> {
  const found = new Map<string, Histogram>();
  for (let extra = 3; extra > 0;) {
    for (const [id, histogram] of from.take()) found.set(id, addHistograms(found.get(id) ?? [], histogram));
    if ([...found.values()].reduce((sum, histogram) => sum + countOf(histogram), 0) >= requests) extra--;
    await sleep(10);
  }
  return found;
}

test("each request is told once, with how long the head of its response took, over a reload too", async () => {
  const table = catalogOf(
    service("s"),
    instance("s", "a", { url }),
    // What version 2 should get goes through the fallback to version 1.
    instance("s", "b", { version: "2", url: "http://127.0.0.1:1", order: 1 }),
    routes("s", { "//s(2)": { share: 5_000 } }),
    service("stream"),
    instance("stream", "a", { url }),
  );
  const { machine, sampling } = await start(table, { percentiles: 1 });
  const { port, follow, reloads } = machine;
  const tookMs: number[] = [];
  const timed = async (path: string): Promise<void> => {
    const startedMs = performance.now();
    expect((await ask(port, path)).status).toBe(200);
    tookMs.push(performance.now() - startedMs);
  };
  await Promise.all(Array.from({ length: 96 }, () => timed("/s/")));
  expect((await ask(port, "/nobody/")).status).toBe(404);
  const before = reloads.length;
  const stream = ask(port, "/stream/?hold");
  const slow = Promise.all([1, 2, 3, 4].map(() => timed("/s/?ms=300")));
  await follow(table.apply(change(service("new"), instance("new", "a", { url: `${url}/base` }))));
  expect(reloads.length).toBe(before + 1);
  const found = await taken(sampling, 101);
  // What flows on is told when it begins.
  release();
  await Promise.all([slow, stream]);
  const byService = new Map([...found].map(([id, histogram]) => [id.slice(0, id.indexOf(":")), histogram]));
  expect(byService.size).toBe(found.size);
  expect(countOf(byService.get("stream") as Histogram)).toBe(1);
  const all = byService.get("s") as Histogram;
  expect(countOf(all)).toBe(100);
  // None took longer than the caller saw, but for a bucket: the two have clocks of their own.
  const seen = toHistogram(tookMs.map((ms) => [ms, 1]));
  for (const share of [0.5, 0.9, 0.99]) {
    expect(quantileOf(all, share)).toBeLessThanOrEqual((quantileOf(seen, share) as number) * (1 + 1 / 8) + 1);
  }
  expect(quantileOf(all, 0.99)).toBeGreaterThanOrEqual(300 * (1 - 1 / 16));
});

test("one of two counts for both, and the access log has its line for each", async () => {
  const table = catalogOf(service("s"), instance("s", "a", { url }));
  const { machine, sampling } = await start(table, { percentiles: 2, accessLog: true });
  // One after the other: which of them are told depends on the order.
  for (let i = 0; i < 20; i++) await ask(machine.port, `/s/${"x".repeat(i * 250)}?ms=20`);
  // Ten of them are told, and two of these lines are cut within the path.
  const [all] = (await taken(sampling, 16)).values();
  expect(countOf(all as Histogram)).toBe(16);
  // A timer may end a millisecond early, and HAProxy's are whole milliseconds.
  expect(quantileOf(all as Histogram, 0.01)).toBeGreaterThanOrEqual(18 * (1 - 1 / 16));
  const lines = async (): Promise<string[]> =>
    (await readFile(machine.dir.accessLog, "utf8").catch(() => "")).split("\n").filter((line) => line.startsWith("{"));
  await expect.poll(lines).toHaveLength(20);
});

test("a share of one in twenty is drawn for each request", async () => {
  const table = catalogOf(service("s"), instance("s", "a", { url }));
  const { machine, sampling } = await start(table, { percentiles: 20 });
  await Promise.all(Array.from({ length: 60 }, () => ask(machine.port, "/s/")));
  await sleep(20);
  const counts = [...sampling.take().values()].map(countOf);
  // More than 14 of 60 have a chance of less than one in a million.
  expect(counts[0] ?? 0).toBeLessThanOrEqual(14 * 20);
  expect((counts[0] ?? 0) % 20).toBe(0);
});

test("an HAProxy without the pipe is left without percentiles, and a pipe is made where there is none", async () => {
  const table = catalogOf(service("s"), instance("s", "a", { url }));
  const { machine } = await start(table, { percentiles: 1 });
  await rm(machine.dir.latencies);
  expect(await openSampling(1, deps(machine))).toBeNull();
  await machine.stop();
  sampling?.close();
  const open = () => openSampling(1, deps(machine));
  // Its last worker ends a moment after it.
  await expect.poll(async () => (sampling = await open())).not.toBeNull();
  expect((await stat(machine.dir.latencies)).mode & 0o777).toBe(0o600);
});
