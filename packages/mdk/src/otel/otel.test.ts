import { context, trace } from "@opentelemetry/api";
import { logs } from "@opentelemetry/api-logs";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, expect, test } from "vitest";
import { traceIdOf } from "../headers/trace-parent.ts";
import { libraryOver, serve } from "../testing/servers.ts";
import { exportTelemetry } from "./index.ts";

afterEach(() => {
  logs.disable();
  trace.disable();
  context.disable();
});

test("an active span of the application gives a new session its trace, and an interaction becomes a span of it", async () => {
  const spans = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const { mdk } = libraryOver([]);
  const end = exportTelemetry(mdk);
  const outside = mdk.session();
  const own = trace.getTracer("own").startSpan("own");
  const session = context.with(trace.setSpan(context.active(), own), () => mdk.session());
  expect(traceIdOf(session.traceId)).toBe(own.spanContext().traceId);
  expect(outside.traceId).not.toBe(session.traceId);
  await session.interact(() => {});
  await session.interact(() => Promise.reject(new Error("boom"))).catch(() => {});
  end();
  await session.interact(() => {});
  const seen = spans.getFinishedSpans().map((span) => ({
    name: span.name,
    traceId: span.spanContext().traceId,
    message: span.status.message,
  }));
  const traceId = traceIdOf(session.traceId);
  expect(seen).toEqual([
    { name: "interaction", traceId, message: undefined },
    { name: "interaction", traceId, message: "Error: boom" },
  ]);
});

test("what a session logs goes to the logger of the application, in the trace of the session", () => {
  const exporter = new InMemoryLogRecordExporter();
  const { mdk } = libraryOver([]);
  exportTelemetry(mdk);
  mdk.session().info("a", "before there is a logger");
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] }));
  const session = mdk.session();
  session.error("till", "empty");
  const records = exporter.getFinishedLogRecords();
  expect(records).toMatchObject([
    { body: "empty", severityNumber: 17, severityText: "ERROR", attributes: { "mdk.category": "till" } },
  ]);
  expect(records[0]?.spanContext?.traceId).toBe(traceIdOf(session.traceId));
});

test("exportTelemetry() sends logs and interactions to an endpoint of OTLP, the last ones when the library stops", async () => {
  const came: { url: string; key: string; body: Record<string, unknown> }[] = [];
  const endpoint = await serve((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      came.push({
        url: req.url ?? "",
        key: String(req.headers["x-key"]),
        body: JSON.parse(body) as Record<string, unknown>,
      });
      res.end("{}");
    });
  });
  const { mdk } = libraryOver([]);
  exportTelemetry(mdk, { endpoint, headers: { "x-key": "secret" } });
  const session = mdk.session();
  session.trace("DEBUG");
  for (const level of ["critical", "error", "warn", "info", "debug"] as const) session[level]("a", level);
  await session.interact(() => {});
  await mdk.stop();
  // A library that a busy machine keeps from ending does not wait for it.
  await expect.poll(() => came.length).toBe(2);
  expect(came.map(({ url, key }) => `${url} ${key}`)).toEqual(["/v1/logs secret", "/v1/traces secret"]);
  const logs = came[0]?.body as {
    resourceLogs: { scopeLogs: { logRecords: { severityNumber: number; traceId: string }[] }[] }[];
  };
  const records = logs.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
  expect(records.map(({ severityNumber }) => severityNumber)).toEqual([21, 17, 13, 9, 5, 9, 9]);
  expect(new Set(records.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(session.traceId)]));
  expect(came[1]?.body).toMatchObject({
    resourceSpans: [
      { scopeSpans: [{ spans: [{ name: "interaction", traceId: traceIdOf(session.traceId), status: { code: 1 } }] }] },
    ],
  });
});

test("exportTelemetry() goes on where nobody takes what it sends, and refuses what is no URL", async () => {
  const { mdk } = libraryOver([]);
  exportTelemetry(mdk, { endpoint: "http://127.0.0.1:1" });
  for (let i = 0; i < 5_000; i++) mdk.session().info("a", "b");
  await mdk.stop();
  expect(() => exportTelemetry(mdk, { endpoint: "collector" })).toThrow(/wanted http/);
});
