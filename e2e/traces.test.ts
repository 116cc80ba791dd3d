import { rmSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import type { LogEvent, Span, TraceSummary } from "@datawire/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { Replicas } from "./harness/replicas.ts";
import { removeFolder } from "./harness/remove-folder.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Traces and logs on a real directory, sent by clients that know nothing of it. */

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

const base = async (): Promise<string> => `http://127.0.0.1:${(await stack.ports()).directory}`;
const folder = (): string => join(stack.folder, "directory/traces");

/** Sends a request of OTLP as JSON. */
async function send(path: string, body: object | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${await base()}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: body instanceof Uint8Array ? body.slice() : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

let lastId = 0;
/** A request with so many spans, each of a trace of its own. */
function spans(count: number, name = "work"): { readonly ids: string[]; readonly body: object } {
  const now = Date.now();
  const ids = Array.from({ length: count }, () => (lastId += 1).toString(16).padStart(32, "0"));
  const made = ids.map((traceId) => ({
    traceId,
    spanId: "00000000000000a1",
    name,
    startTimeUnixNano: `${now}000000`,
    endTimeUnixNano: `${now + 1}000000`,
  }));
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  return { ids, body: { resourceSpans: [{ resource, scopeSpans: [{ spans: made }] }] } };
}

test("a program with OpenTelemetry and its usual variable is seen by dw, over a restart of the directory", async () => {
  const directory = await stack.startDirectory();
  const url = `${await base()}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, compression: "gzip" as never, timeoutMillis: 120_000 });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "shop",
      "service.version": "1.2",
      "service.instance.id": "vm1",
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("e2e");
  const root = tracer.startSpan("GET /checkout", { kind: SpanKind.SERVER, attributes: { "user.id": 42 } });
  const child = tracer.startSpan("charge", { kind: SpanKind.CLIENT }, trace.setSpan(context.active(), root));
  child.recordException(new Error("card declined"));
  child.setStatus({ code: SpanStatusCode.ERROR, message: "no money" });
  child.end();
  root.end();
  await provider.forceFlush();
  const { traceId } = root.spanContext();
  const listed = await stack.dwJson<TraceSummary[]>("trace", "list", "user.id=42", "--service", "shop", "--error");
  expect(listed).toMatchObject([
    { traceId, name: "GET /checkout", service: "shop", spans: 2, errors: 1, events: 1, level: "ERROR" },
  ]);
  const look = async (): Promise<void> => {
    const shown = await stack.dwJson<{ spans: Span[]; events: LogEvent[] }>("trace", "show", traceId.toUpperCase());
    // By the exporter's clock, a child may begin a little before its parent.
    expect(shown.spans.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toMatchObject([
      {
        name: "GET /checkout",
        kind: "server",
        status: "ok",
        version: "1.2",
        instance: "vm1",
        attributes: { "user.id": 42 },
      },
      { name: "charge", kind: "client", status: "error", message: "no money", parentId: root.spanContext().spanId },
    ]);
    expect(shown.events).toMatchObject([{ level: "ERROR", clock: [], text: expect.stringContaining("card declined") }]);
  };
  await look();
  directory.kill("SIGKILL");
  await directory.exited;
  await stack.startDirectory();
  await look();
  await provider.shutdown();
});

test("dw log shows what is logged, and follows it", async () => {
  await stack.startDirectory();
  const log = (text: string, severityNumber: number) =>
    send("/v1/logs", {
      resourceLogs: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
          scopeLogs: [
            { logRecords: [{ severityNumber, body: { stringValue: text }, timeUnixNano: `${Date.now()}000000` }] },
          ],
        },
      ],
    });
  expect((await log("before", 17)).status).toBe(200);
  const following = stack.start("dw", ["-d", await stack.directoryAddress(), "log", "-f", "--level", "warn", "--json"]);
  const next = async (): Promise<string> => {
    const { text } = JSON.parse(await following.line((line) => line.startsWith("{"))) as LogEvent;
    return text;
  };
  expect(await next()).toBe("before");
  await log("unimportant", 9);
  await log("important", 21);
  await following.line((line) => line.includes('"important"'));
  expect(following.lines.join()).not.toContain("unimportant");
  following.kill("SIGINT");
  expect(await following.exited).toMatchObject({ code: 0 });
  expect((await stack.dwJson<LogEvent[]>("log", "-n", "2")).map(({ text }) => text)).toEqual([
    "unimportant",
    "important",
  ]);
});

test("what is no request of OTLP, too large or too much is answered as the protocol has it", async () => {
  await stack.startDirectory([], { traces: { rate: "5/s" } });
  const { body } = spans(1);
  expect(await send("/v1/traces", new TextEncoder().encode("{"))).toMatchObject({ status: 400 });
  expect(await send("/v1/traces", body, { "content-type": "text/plain" })).toMatchObject({ status: 415 });
  expect(await send("/v1/traces", body, { "content-encoding": "br" })).toMatchObject({ status: 415 });
  const large = new Uint8Array(17 * 1024 * 1024);
  expect(await send("/v1/traces", gzipSync(large), { "content-encoding": "gzip" })).toMatchObject({ status: 413 });
  expect(await send("/v1/traces", large)).toMatchObject({ status: 413 });
  expect(await send("/v1/traces", gzipSync(JSON.stringify(body)), { "content-encoding": "gzip" })).toMatchObject({
    status: 200,
    text: "{}",
  });
  const metrics = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}] } }] }] }] };
  const rejected = await send("/v1/metrics", metrics);
  expect([rejected.status, JSON.parse(rejected.text)]).toMatchObject([
    200,
    { partialSuccess: { rejectedDataPoints: "1" } },
  ]);
  // As many as come in a minute and a half.
  expect((await send("/v1/traces", spans(500).body)).status).toBe(200);
  const refused = await send("/v1/traces", spans(3).body);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(1);
  expect(await stack.metric("directory", "datawire_traces_dropped_total")).toBe(3);
  // The connection goes on: nothing of a refused body is taken for the next request.
  expect((await send("/v1/traces", new Uint8Array(0), { "content-type": "application/x-protobuf" })).status).toBe(200);
});

test("a directory whose traces are damaged, gone or cannot be kept serves on, and dw status says so", async () => {
  let directory: Child = await stack.startDirectory();
  expect((await send("/v1/traces", spans(2_000).body)).status).toBe(200);
  directory.kill("SIGTERM");
  await directory.exited;
  // Its log too, where there was no time to close the file before the end: from that, a damaged one is made whole.
  for (const name of await readdir(folder())) {
    const path = join(folder(), name);
    writeFileSync(path, Buffer.alloc(statSync(path).size, 0xee));
  }
  directory = await stack.startDirectory();
  const problems = async (): Promise<string> => (await stack.dw("status")).stdout;
  await eventually(async () => expect(await problems()).toContain("a file was damaged and set aside"));
  const { ids, body } = spans(1, "after the damage");
  expect((await send("/v1/traces", body)).status).toBe(200);
  expect((await stack.dwJson<TraceSummary[]>("trace", "list")).map(({ traceId }) => traceId)).toEqual(ids);

  removeFolder(folder());
  expect((await send("/v1/traces", spans(1).body)).status).toBe(200);
  expect(await stack.dwJson("trace", "list")).toHaveLength(1);
  await eventually(async () => expect(await problems()).toContain("1 spans and messages were taken away with"));

  removeFolder(folder());
  writeFileSync(folder(), "in the way");
  const unkept = await send("/v1/traces", spans(1).body);
  expect([unkept.status, unkept.headers.get("retry-after")]).toEqual([503, "1"]);
  await eventually(async () => expect(await problems()).toContain("none are kept since"));
  expect(await stack.dw("service", "add", "//other")).toMatchObject({ code: 0 });
  expect((await fetch(`${await base()}/readyz`)).status).toBe(200);
  rmSync(folder());
  await eventually(async () => expect((await send("/v1/traces", spans(1).body)).status).toBe(200));
  await eventually(async () => expect(await problems()).not.toContain("none are kept since"));
});

test("directories on one store answer with what all of them have, and name those that do not", async () => {
  // One that does not answer is named for as long as its lease runs.
  const replicas = await Replicas.start(stack, 2, { settings: { lease: "60s" } });
  try {
    const traceId = "abcdef00000000000000000000000001";
    const part = (spanId: string, name: string, atMs: number) => ({
      traceId,
      spanId,
      name,
      parentSpanId: name === "root" ? "" : "00000000000000a1",
      startTimeUnixNano: `${atMs}000000`,
      endTimeUnixNano: `${atMs + 5}000000`,
    });
    const post = async (index: number, span: object): Promise<void> => {
      const answer = await fetch(`${replicas.url(index)}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
      });
      expect(answer.status).toBe(200);
    };
    const read = async <T>(path: string): Promise<T> => (await (await fetch(`${replicas.url(0)}${path}`)).json()) as T;
    const at = Date.now();
    await post(0, part("00000000000000a1", "root", at));
    await post(1, part("00000000000000a2", "child", at + 1));
    await post(1, { ...part("00000000000000a3", "root", at + 9), traceId: "abcdef00000000000000000000000002" });
    await eventually(async () => {
      const { traces, missing } = await read<{ traces: TraceSummary[]; missing: string[] }>("/v1/traces");
      expect(traces).toMatchObject([{ spans: 1 }, { traceId, spans: 2, name: "root", durationMs: 6 }]);
      expect(missing).toEqual([]);
    });
    await eventually(async () =>
      expect(await read(`/v1/traces/${traceId}`)).toMatchObject({
        spans: [{ name: "root" }, { name: "child" }],
        partial: false,
      }),
    );
    expect(await read("/v1/traces?local=true")).toMatchObject({ traces: [{ traceId, spans: 1 }] });
    replicas.signal(1, "SIGSTOP");
    const { missing } = await read<{ missing: string[] }>("/v1/traces");
    expect(missing).toEqual([replicas.list[0]?.[1]]);
    expect(await read(`/v1/traces/${traceId}`)).toMatchObject({ spans: [{ name: "root" }], partial: true });
    replicas.signal(1, "SIGCONT");
  } finally {
    await replicas.dispose();
  }
});

test("where they are off, traces are refused for good", async () => {
  await stack.startDirectory([], { traces: { store: "off" } });
  expect(await send("/v1/traces", spans(1).body)).toMatchObject({ status: 404, text: /traces.store/ });
  expect(await stack.dw("trace", "list")).toMatchObject({ code: 1, stderr: /traces.store/ });
});
