import { afterAll, beforeAll, expect, test } from "vitest";
import { connectOriginal, type MdkFrame } from "../testing/original.ts";
import { hello, type Served, serve } from "../testing/served.ts";

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());

interface Said {
  readonly text?: string;
  readonly level?: string;
  readonly trace?: string;
  readonly clock?: readonly number[];
  readonly node?: string;
}

const TRACE = "e5072dbe-b445-4190-b48e-2165ecff7fb2";

/** A log event as the original sends it. */
const log = (sequence: number, said: Said = {}) => ({
  $class: "mdk_tracing.protocol.LogEvent",
  type: "log",
  context: {
    $class: "mdk_protocol.SharedContext",
    traceId: said.trace ?? TRACE,
    clock: { $class: "mdk_protocol.LamportClock", clocks: said.clock ?? [1] },
    properties: {},
    environment: { name: "sandbox", fallbackName: null },
  },
  timestamp: 1_796_009_374_665 + sequence,
  node: said.node ?? "n1",
  level: said.level ?? "INFO",
  category: "cat",
  contentType: "text/plain",
  text: said.text ?? `text ${sequence}`,
  sequence,
  sync: 1,
});

const textsOf = (frames: readonly MdkFrame[]): unknown[] =>
  frames.filter(({ type }) => type === "log").map((frame) => frame["text"]);

test("what originals log is acknowledged, kept once, and told to those who subscribe, themselves too", async () => {
  const first = await connectOriginal(served.port, { nodeId: "n1" });
  first.send({ $class: "mdk_tracing.protocol.Subscribe", type: "subscribe" });
  first.send(log(0, { clock: [2] }));
  first.send(log(1, { clock: [1, 1], level: "ERROR" }));
  expect(await first.next("logack")).toEqual({ type: "logack", sequence: 0 });
  expect(await first.next("logack")).toEqual({ type: "logack", sequence: 1 });
  const second = await connectOriginal(served.port, { nodeId: "n1" });
  second.send(log(1));
  second.send(log(2, { clock: [1] }));
  await second.next((frame) => frame.type === "logack" && frame["sequence"] === 2);
  await expect.poll(() => textsOf(first.frames)).toEqual(["text 0", "text 1", "text 2"]);
  expect(first.frames.find(({ type }) => type === "log")).toMatchObject({
    node: "n1",
    level: "INFO",
    context: { traceId: TRACE, clock: { clocks: [2] }, environment: { name: "sandbox" } },
  });
  const { body } = await served.get("/v1/traces/E5072DBEB4454190B48E2165ECFF7FB2");
  expect(body).toMatchObject({
    traceId: TRACE,
    events: [
      { clock: [1], text: "text 2", node: "n1", environment: "sandbox", category: "cat", timestamp: 1_796_009_374_667 },
      { clock: [1, 1], text: "text 1", level: "ERROR" },
      { clock: [2], text: "text 0" },
    ],
  });
  const listed = (await served.get("/v1/traces?level=error&limit=5")).body["traces"];
  expect(listed).toMatchObject([{ events: 3, level: "ERROR", nodes: ["n1"] }]);
  first.socket.terminate();
  second.socket.terminate();
});

test("a long text arrives whole", async () => {
  const original = await connectOriginal(served.port, { nodeId: "long" });
  const text = "é".repeat(256 * 1024);
  original.send(log(0, { text, trace: "long", node: "long" }));
  await original.next("logack");
  const events = (await served.get("/v1/traces/long")).body["events"] as { text: string }[];
  expect(events[0]?.text).toBe(text);
  original.socket.terminate();
});

test("a library logs over the link and follows what originals log", async () => {
  const library = await served.link();
  library.send(hello("library", "shop", { id: "library-1" }));
  await library.next("welcome");
  library.send({ type: "followLogs", trace: null, level: "WARN" });
  const common = { traceId: "shared", timestamp: 1, level: "INFO", category: "c", environment: "sandbox" };
  const events = ["a", "b"].map((text, i) => ({ ...common, clock: [i], text }));
  library.send({ type: "logs", seq: 0, events });
  expect(await library.next("logged")).toMatchObject({ seq: 2 });
  library.send({ type: "logs", seq: 1, events: events.slice(1) });
  expect(await library.next("logged")).toMatchObject({ seq: 2 });
  const original = await connectOriginal(served.port, { nodeId: "n9" });
  original.send(log(0, { trace: "shared", level: "CRITICAL", node: "n9", clock: [1, 1] }));
  expect(await library.next("log")).toMatchObject({ events: [{ node: "n9", traceId: "shared", level: "CRITICAL" }] });
  await original.next("logack");
  const kept = (await served.get("/v1/traces/shared")).body["events"] as { text: string; node: string }[];
  expect(kept.map(({ node, text }) => `${node} ${text}`)).toEqual(["library-1 a", "library-1 b", "n9 text 0"]);
  original.socket.terminate();
});

test.each([
  ["/v1/traces?level=loud", 400, /as level: wanted one of CRITICAL/],
  ["/v1/traces?limit=0", 400, /as limit: wanted a number from 1 to 1000/],
  ["/v1/traces?since=soon", 400, /soon/],
  ["/v1/traces/nothing", 404, /nothing is kept of it/],
])("GET %s is answered by %i", async (path, status, message) => {
  const answer = await served.get(path);
  expect(answer.status).toBe(status);
  expect(JSON.stringify(answer.body)).toMatch(message);
});

test("traces are asked for since a moment, or for how long", async () => {
  const traces = async (since: string) => (await served.get(`/v1/traces?since=${since}`)).body["traces"] as unknown[];
  expect(await traces("2020-01-01T00:00:00Z")).not.toEqual([]);
  expect(await traces("2200-01-01T00:00:00Z")).toEqual([]);
  expect(await traces("1m")).toEqual(expect.any(Array));
});

test("an interaction is counted once by its uuid, and acknowledged each time", async () => {
  const original = await connectOriginal(served.port, { nodeId: "counted" });
  const event = {
    type: "interactionevent",
    uuid: "u-1",
    session: "s",
    node: "counted",
    results: { "127.0.0.1-9999": 1, "127.0.0.1-9998": 0 },
    sequence: 7,
    sync: 1,
  };
  for (let i = 0; i < 2; i++) {
    original.send(event);
    expect(await original.next("interactionack")).toEqual({ type: "interactionack", sequence: 7 });
  }
  const metrics = await (await fetch(`http://127.0.0.1:${served.port}/metrics`)).text();
  expect(metrics).toContain('datawire_directory_mdk_interactions_total{result="success"} 1');
  expect(metrics).toContain('datawire_directory_mdk_interactions_total{result="failure"} 1');
  expect(metrics).toMatch(/^datawire_directory_mdk_connections [1-9]/m);
  original.socket.terminate();
});
