import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRequest } from "../intake/read-request.ts";
import type { EventRecord } from "../model/records.ts";
import { encodeTraceRequest } from "../testing/index.ts";
import { TEST_SETTINGS, TestKeeper } from "../testing/keepers.ts";
import { logRequest, spanOf, traceIdOf, traceRequest } from "../testing/requests.ts";
import type { ForwardSettings } from "./forwarding.ts";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A collector that answers as it is told to, and else takes everything. */
async function collector() {
  const received: Received[] = [];
  const answers: number[] = [];
  const state: { judge: (body: Buffer) => number } = { judge: () => answers.shift() ?? 200 };
  const server = createServer((req, res) => {
    void buffer(req).then((bytes) => {
      const body = gunzipSync(bytes);
      const status = state.judge(body);
      if (status === 200) received.push({ path: req.url ?? "", headers: req.headers, body });
      res.writeHead(status, status === 429 ? { "retry-after": "1" } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    /** Has answers depend on what comes, from now on. */
    judgeBy: (judge: (body: Buffer) => number) => void (state.judge = judge),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

let sink: Awaited<ReturnType<typeof collector>>;
const stores: TestKeeper[] = [];
beforeEach(async () => {
  sink = await collector();
});
afterEach(async () => {
  for (const store of stores.splice(0)) store[Symbol.dispose]();
  await sink.close();
});

function keeper(forward: Partial<ForwardSettings> = {}, settings: ConstructorParameters<typeof TestKeeper>[0] = {}) {
  const whole = { url: sink.url, headersFile: null, queueBytes: 64 * 1024 * 1024, ...forward };
  const store = new TestKeeper({ forward: whole, ...settings });
  stores.push(store);
  return store;
}

const received = (count: number) => expect.poll(() => sink.received.length).toBeGreaterThanOrEqual(count);
const spansOf = ({ body }: Pick<Received, "body">) =>
  readRequest(body, { signal: "traces", format: "json", nowMs: 0 }).spans;

test("what comes is forwarded as it came, with the headers of the file, and kept here too", async () => {
  const store = keeper();
  const file = join(store.folder, "headers");
  writeFileSync(file, "Authorization: Bearer secret\n\n# nothing\nX-Scope: a b \n");
  store.keeper.configure({
    ...TEST_SETTINGS,
    forward: { url: `${sink.url}/`, headersFile: file, queueBytes: 1024 ** 2 },
  });
  const json = traceRequest([spanOf({ traceId: "5B8EFFF7-98038103D269B633813FC60C" })]);
  await store.send("traces", json);
  await received(1);
  const protobuf = encodeTraceRequest(traceRequest([spanOf({ traceId: traceIdOf(2) })]));
  await store.keeper.otlp({ tenant: "", signal: "traces", format: "protobuf", gzip: false, bytes: protobuf });
  await received(2);
  await store.send("logs", logRequest([{ body: { stringValue: "said" } }]));
  await received(3);
  expect(sink.received.map(({ path, headers }) => [path, headers["content-type"]])).toEqual([
    ["/v1/traces", "application/json"],
    ["/v1/traces", "application/x-protobuf"],
    ["/v1/logs", "application/json"],
  ]);
  expect(sink.received[0]?.headers).toMatchObject({ authorization: "Bearer secret", "x-scope": "a b" });
  expect(JSON.parse(String(sink.received[0]?.body))).toEqual(json);
  expect(Buffer.compare(sink.received[1]?.body ?? Buffer.alloc(0), protobuf)).toBe(0);
  expect((await store.traces()).traces).toHaveLength(2);
});

test("what waits goes out in batches once the collector is back, over a restart, and nothing is lost", async () => {
  sink.judgeBy(() => 503);
  const store = keeper();
  for (let i = 1; i <= 4; i++) await store.spans([{ traceId: traceIdOf(i) }]);
  await expect
    .poll(() => store.told)
    .toContainEqual({ kind: "forwarding", problem: { kind: "stuck", why: "it answers 503" } });
  sink.judgeBy(() => 200);
  store.restart();
  await expect.poll(() => sink.received.flatMap(spansOf).length).toBe(4);
  expect(sink.received.length).toBeLessThan(4);
  expect(sink.received.flatMap(spansOf).map(({ traceId }) => traceId)).toEqual([1, 2, 3, 4].map(traceIdOf));
  expect(store.lost).toEqual({});
});

test("what the collector refuses for good is counted and told, and the next goes on", async () => {
  sink.answers.push(400);
  const store = keeper();
  await store.spans([{}, {}]);
  await expect.poll(() => store.lost).toEqual({ collector: 2 });
  await store.spans([{ traceId: traceIdOf(9) }]);
  await received(1);
  await expect
    .poll(() => store.told.filter(({ kind }) => kind === "forwarding"))
    .toEqual([
      { kind: "forwarding", problem: { kind: "refused", why: "it answers 400 to traces" } },
      { kind: "forwarding", problem: null },
    ]);
});

test("with `keep: false` nothing is kept here, and the oldest make room in the queue", async () => {
  const store = keeper({ url: "http://127.0.0.1:1", queueBytes: 40_000 }, { keep: false });
  const filler = "x".repeat(15_000);
  for (let i = 1; i <= 5; i++)
    expect(await store.spans([{ traceId: traceIdOf(i), attributes: { filler } }])).toMatchObject({ state: "kept" });
  expect((await store.traces()).traces).toEqual([]);
  expect(store.lost).toEqual({ forward: 3 });
  store.keeper.configure({
    ...TEST_SETTINGS,
    keep: false,
    forward: { url: sink.url, headersFile: null, queueBytes: 40_000 },
  });
  await expect.poll(() => sink.received.flatMap(spansOf).map(({ traceId }) => traceId)).toEqual([4, 5].map(traceIdOf));
});

test("a batch that is too large for the collector goes out in parts", async () => {
  let isUp = false;
  const refused: number[] = [];
  sink.judgeBy((body) => {
    const { length } = spansOf({ body });
    if (!isUp) return 503;
    if (length > 1) refused.push(length);
    return length > 1 ? 413 : 200;
  });
  const store = keeper();
  for (let i = 1; i <= 4; i++) await store.spans([{ traceId: traceIdOf(i) }]);
  isUp = true;
  await expect.poll(() => sink.received.flatMap(spansOf).length).toBe(4);
  expect(refused.length).toBeGreaterThan(0);
  expect(store.lost).toEqual({});
});

test("what sessions of the MDK log is forwarded as log records", async () => {
  const store = keeper();
  const resource = {
    service: "shop",
    version: null,
    instance: null,
    node: "n1",
    environment: "sandbox",
    attributes: {},
  };
  const event = (traceId: string): EventRecord => ({
    traceId,
    spanId: null,
    clock: [1, 2],
    timestamp: 1_796_009_374_665,
    level: "CRITICAL",
    category: "c",
    text: "told",
    attributes: {},
    resource,
  });
  await store.keeper.append("", [event("e5072dbe-b445-4190-b48e-2165ecff7fb2"), event("no id of OTLP")]);
  await received(1);
  const body = sink.received[0]?.body ?? Buffer.alloc(0);
  expect(readRequest(body, { signal: "logs", format: "protobuf", nowMs: 0 }).events).toMatchObject([
    {
      traceId: "e5072dbeb4454190b48e2165ecff7fb2",
      level: "CRITICAL",
      text: "told",
      timestamp: 1_796_009_374_665,
      resource: { service: "shop" },
    },
    { traceId: null, attributes: { "mdk.trace_id": "no id of OTLP", "mdk.clock": "1.2" } },
  ]);
});
