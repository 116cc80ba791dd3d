import { readFile } from "node:fs/promises";
import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Catalog } from "@datawire/catalog";
import { countOf, ProtocolError } from "@datawire/protocol";
import { noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SherlockSettings } from "../config/settings.ts";
import { ask } from "../testing/ask.ts";
import { catalogOf, change, instance, service } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { SpanLines } from "../core/observe/span-lines.ts";
import { LogPipe } from "../haproxy/log-pipe.ts";
import { SpanReporter } from "./span-reporter.ts";
import { openSpanPipe } from "./spans.ts";
import { openSampling } from "./sampling.ts";

/** Spans of requests through a real HAProxy. */

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code: number; readonly message: string };
  /** Of the span and its resource. */
  readonly said: Readonly<Record<string, string | number>>;
}

let folder: string;
let server: Server;
let machine: Machine;
let table: Catalog;
let spans: Span[];
let stop: AbortController;
let reporting: Promise<void>;
/** What the instance was sent, by path. */
let arrived: Map<string, string | undefined>;
const dropped = new Map<string, number>();

beforeEach(async () => {
  folder = await temporaryFolder();
  arrived = new Map();
  spans = [];
  dropped.clear();
  reporting = Promise.resolve();
  stop = new AbortController();
  server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://x");
    arrived.set(pathname, req.headers["traceparent"] as string | undefined);
    res.statusCode = Number(searchParams.get("status") ?? 200);
    setTimeout(() => res.end("done"), Number(searchParams.get("ms") ?? 0));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  stop.abort();
  await reporting;
  await machine?.stop();
  server.close();
  await removeFolder(folder);
});

type Post = (path: string, body: unknown) => Promise<unknown>;

async function start(settings: Partial<SherlockSettings>, post: Post = async () => ({})): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  table = catalogOf(
    service("shop"),
    instance("shop", "vm1", { url, version: "1.4.2" }),
    service("gone"),
    instance("gone", "vm2", { url: `http://127.0.0.1:${await freePort()}` }),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort(), settings });
  const board = new ProblemBoard();
  const pipe = await openSpanPipe(settings.spans ?? null, { dir: machine.dir, log: noLog, board });
  if (pipe === null) throw new Error("there is no pipe");
  const reporter = new SpanReporter({
    pipe,
    names: machine.names,
    context: {
      caller: "monolith",
      instanceOf: (backend, name) => machine.planning.serverOf(backend, name)?.instances[0] ?? null,
      newId: () => "00000000000000ff",
    },
    async post(path, body) {
      const answer = await post(path, body);
      spans.push(...spansIn(body));
      return answer;
    },
    metrics: {
      spansSent: () => {},
      spansDropped: (reason, count) => void dropped.set(reason, (dropped.get(reason) ?? 0) + count),
    },
    clock: systemClock,
    log: noLog,
    board,
  });
  reporting = reporter.run(stop.signal).finally(() => pipe.close());
}

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, string | number>> }[];

function spansIn(body: unknown): Span[] {
  const { resourceSpans } = body as {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: Attributes };
      readonly scopeSpans: readonly { readonly spans: readonly (Span & { readonly attributes: Attributes })[] }[];
    }[];
  };
  const said = (list: Attributes) =>
    Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0] as string | number]));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scoped) =>
      scoped.spans.map(({ attributes, ...span }) => ({
        ...span,
        said: { ...said(resource.attributes), ...said(attributes) },
      })),
    ),
  );
}

const get = (path: string, traceparent?: string) =>
  ask(machine.port, path, traceparent === undefined ? {} : { traceparent });

/**
 * What a worker tells, it tells in the order in which it ended: resolves when a last request's span is there, and as many
 * as are wanted of those before, of which a worker that was replaced may tell later.
 */
async function told(count: number): Promise<readonly Span[]> {
  const others = () => spans.filter(({ name }) => name !== "GET /shop/last");
  const path = `/shop/last?status=500`;
  await get(path);
  await expect.poll(() => spans.some(({ name }) => name === "GET /shop/last")).toBe(true);
  await expect.poll(() => others().length).toBeGreaterThanOrEqual(count);
  return others();
}

test("off, nothing of a request changes, and no rule and no line is there for it", async () => {
  table = catalogOf(service("shop"));
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
  const config = await readFile(machine.dir.config, "utf8");
  expect(config).not.toMatch(/trace|fd@4|log-format|uuid/);
});

test("a request's span is a child of its traceparent, is sent on as the parent, and says where it went", async () => {
  await start({ spans: 1 });
  await get("/shop/orders/17?ms=60&secret=1", `00-${TRACE}-${PARENT}-01`);
  const [span] = await told(1);
  expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, name: "GET /shop/orders/17" });
  expect(arrived.get("/orders/17")).toBe(`00-${TRACE}-${span?.spanId}-01`);
  expect(span?.spanId).not.toBe(PARENT);
  expect(span?.said).toMatchObject({
    "service.name": "shop",
    "service.version": "1.4.2",
    "service.instance.id": "vm1",
    "datawire.caller": "monolith",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.path": "/shop/orders/17",
  });
  expect(JSON.stringify(spans)).not.toContain("secret");
  const [startNs, endNs] = [BigInt(span?.startTimeUnixNano ?? 0), BigInt(span?.endTimeUnixNano ?? 0)];
  expect(Number(endNs - startNs) / 1e6).toBeGreaterThanOrEqual(50);
});

test("a traceparent is made where there is none, or none that can be read, and the tracestate of that goes", async () => {
  await start({ spans: 1 });
  await get("/shop/none");
  for (const [i, odd] of [
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    "nonsense",
  ].entries())
    await get(`/shop/odd${i}`, odd);
  await ask(machine.port, "/shop/newer", { traceparent: `cc-${TRACE}-${PARENT}-01-what-comes-later` });
  const all = await told(6);
  expect(all).toHaveLength(6);
  for (const span of all) {
    const sent = arrived.get(span.name.slice("GET /shop".length));
    expect(sent).toBe(`00-${span.traceId}-${span.spanId}-01`);
  }
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(6);
  expect(all.filter(({ parentSpanId }) => parentSpanId !== undefined)).toMatchObject([{ traceId: TRACE }]);
});

test("what its sender does not record gets no span and passes as it is, unless it fails", async () => {
  await start({ spans: 1 });
  const unrecorded = `00-${TRACE}-${PARENT}-00`;
  await get("/shop/fine", unrecorded);
  await get("/shop/bad?status=503", unrecorded);
  const all = await told(1);
  expect(all).toMatchObject([{ name: "GET /shop/bad", traceId: TRACE, parentSpanId: PARENT, status: { code: 2 } }]);
  expect(arrived.get("/fine")).toBe(unrecorded);
});

test("errors: requests that fail alone, by the instance or on the way to it, and no others change", async () => {
  await start({ spans: "errors" });
  const traced = `00-${TRACE}-${PARENT}-01`;
  await get("/shop/fine", traced);
  await get("/shop/missing?status=404", traced);
  await get("/shop/bad?status=500", traced);
  await get("/gone/x", traced);
  await get("/nobody/x", traced);
  await get("/shop/own?status=502");
  const all = await told(3);
  const byName = new Map(all.map((span) => [span.name, span]));
  expect([...byName.keys()].toSorted()).toEqual(["GET /gone/x", "GET /shop/bad", "GET /shop/own"]);
  expect(byName.get("GET /shop/bad")).toMatchObject({
    traceId: TRACE,
    parentSpanId: PARENT,
    spanId: "00000000000000ff",
  });
  expect(byName.get("GET /gone/x")).toMatchObject({
    status: { code: 2, message: "503" },
    said: { "service.name": "gone", "error.type": "503" },
  });
  expect(arrived.get("/bad")).toBe(traced);
  expect(byName.get("GET /shop/own")?.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(arrived.has("/own") && arrived.get("/own") === undefined).toBe(true);
});

test("a share: by the id of the trace, as the directory samples, and what is not chosen passes as it is", async () => {
  // By xxHash32, TRACE is at 0.665, and the other one at 0.954.
  const other = "0af7651916cd43dd8448eb211c80319c";
  await start({ spans: 0.7 });
  await get("/shop/chosen", `00-${TRACE}-${PARENT}-01`);
  await get("/shop/other", `00-${other}-${PARENT}-01`);
  await get("/shop/failed?status=500", `00-${other}-${PARENT}-01`);
  for (let i = 0; i < 40; i++) await get(`/shop/free${i}`);
  const passed = [...arrived].filter(([path, sent]) => path.startsWith("/free") && sent === undefined);
  const all = await told(2 + 40 - passed.length);
  expect(all.slice(0, 2).map(({ name }) => name)).toEqual(["GET /shop/chosen", "GET /shop/failed"]);
  expect(arrived.get("/other")).toBe(`00-${other}-${PARENT}-01`);
  const free = all.slice(2);
  expect(free.length + passed.length).toBe(40);
  expect(free.length).toBeGreaterThan(0);
});

test("with percentiles and the access log on, each request has its span, its latency and its line", async () => {
  await start({ spans: "errors", percentiles: 1 });
  const latencies = await openSampling(1, {
    dir: machine.dir,
    names: machine.names,
    log: noLog,
    board: new ProblemBoard(),
  });
  await get("/shop/fine");
  await get("/shop/bad?status=500");
  expect((await told(1)).map(({ name }) => name)).toEqual(["GET /shop/bad"]);
  let counted = 0;
  // The two pipes are written one after the other.
  await expect
    .poll(() => {
      for (const histogram of latencies?.take().values() ?? []) counted += countOf(histogram);
      return counted;
    })
    .toBe(3);
  latencies?.close();
  stop.abort();
  await Promise.all([reporting, machine.stop()]);

  stop = new AbortController();
  spans = [];
  await start({ spans: 1, accessLog: true });
  await get("/shop/logged", `00-${TRACE}-${PARENT}-01`);
  const [span] = await told(1);
  expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, said: { "service.instance.id": "vm1" } });
  const line = async () =>
    (await readFile(machine.dir.accessLog, "utf8")).split("\n").find((one) => one !== "") ?? "{}";
  await expect
    .poll(async () => JSON.parse(await line()) as object)
    .toMatchObject({
      path: "/shop/logged",
      traceId: TRACE,
      spanId: span?.spanId,
      parentId: PARENT,
    });
});

test("a request over a connection from before a reload has one span, a child of its sender's, as all others", async () => {
  await start({ spans: 1 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (path: string) => ask(machine.port, path, { traceparent: `00-${TRACE}-${PARENT}-01` }, agent);
  await send("/shop/before");
  await machine.follow(table.apply(change(service("new"), instance("new", "vm3", { url: "http://127.0.0.1:9/base" }))));
  expect(machine.reloads).not.toEqual([]);
  await send("/shop/after");
  agent.destroy();
  const all = await told(2);
  expect(all.map(({ name }) => name).toSorted()).toEqual(["GET /shop/after", "GET /shop/before"]);
  for (const { name, spanId, parentSpanId, said } of all) {
    expect(parentSpanId).toBe(PARENT);
    expect(said["service.instance.id"]).toBe("vm1");
    expect(arrived.get(name.slice("GET /shop".length))).toBe(`00-${TRACE}-${spanId}-01`);
  }
});

test("a burst while nobody looks loses lines, and says how many", async () => {
  await start({ spans: 1 });
  stop.abort();
  await reporting;
  const lines = new SpanLines(1);
  let read = 0;
  const pipe = await LogPipe.open(machine.dir.spans, (text) => void (read += lines.add(text).length));
  await get("/shop/first");
  const path = `/shop/${"x".repeat(900)}`;
  for (let i = 0; i < 6; i++) await Promise.all(Array.from({ length: 50 }, () => get(path)));
  while (pipe.drain() > 0);
  await get("/shop/last");
  let lost = 0;
  await expect.poll(() => (pipe.drain(), (lost += lines.takeLost()), read + lost)).toBe(302);
  expect(lost).toBeGreaterThan(0);
  pipe.close();
});

test("what the directory cannot take now is sent again, and what it refuses is counted", async () => {
  let times = 0;
  await start({ spans: 1 }, async () => {
    times += 1;
    if (times === 1) throw new ProtocolError("limit_exceeded", "Cannot take more");
    if (times === 2) return { partialSuccess: { rejectedSpans: "1" } };
    throw new ProtocolError("permission_denied", "Cannot write traces");
  });
  await get("/shop/once");
  await expect.poll(() => spans.map(({ name }) => name)).toEqual(["GET /shop/once"]);
  expect(dropped.get("refused")).toBe(1);
  await get("/shop/never");
  await expect.poll(() => dropped.get("refused")).toBe(2);
});
