import { z } from "zod";
import { logsAnswer, traceAnswer, tracesAnswer } from "../shapes/traces.ts";
import type { Endpoint } from "./endpoint.ts";

const text = (description: string) => z.string().optional().meta({ description });

/** What traces and log events alike can be chosen by. */
export const chosen = {
  q: text('words, "phrases" and key=value, which must all match'),
  service: text("of this service"),
  level: text("of this level and worse: CRITICAL, ERROR, WARN, INFO, DEBUG"),
  since: text("a duration before now, such as 15m, or a moment as `from` takes it"),
  from: text("from this moment on: RFC 3339, or milliseconds since 1970"),
  to: text("before this moment"),
  limit: text("how many at most, 1 to 1000; default 100"),
  cursor: text("`next` of the page before"),
  local: text("`true` asks this directory alone, and not the others on its store"),
};

/** The endpoints behind traces and logs. */
export const traceEndpoints = {
  listTraces: {
    method: "GET",
    path: "/v1/traces",
    summary: "Traces, the newest first",
    right: "trace",
    query: z.object({
      ...chosen,
      error: text("`true`: with an error"),
      min: text("of this duration and longer, such as 250ms"),
    }),
    answer: tracesAnswer,
  },
  showTrace: {
    method: "GET",
    path: "/v1/traces/{trace}",
    summary: "The spans and events of one trace; case and hyphens of its id do not matter",
    right: "trace",
    query: z.object({ local: chosen.local }),
    answer: traceAnswer,
  },
  listLogs: {
    method: "GET",
    path: "/v1/logs",
    summary: "Log events, the newest first",
    right: "trace",
    query: z.object({
      ...chosen,
      instance: text("of this instance"),
      trace: text("of the trace with this id"),
      after: text("`tail` of an answer before: what came since, in its order"),
    }),
    answer: logsAnswer,
  },
  writeTraces: {
    method: "POST",
    path: "/v1/traces",
    summary: "Takes spans, as OTLP/HTTP has them",
    right: "log",
    body: "otlp",
    answer: "otlp",
  },
  writeLogs: {
    method: "POST",
    path: "/v1/logs",
    summary: "Takes log records, as OTLP/HTTP has them",
    right: "log",
    body: "otlp",
    answer: "otlp",
  },
  writeMetrics: {
    method: "POST",
    path: "/v1/metrics",
    summary: "Takes metrics, as OTLP/HTTP has them, and rejects them all",
    right: "log",
    body: "otlp",
    answer: "otlp",
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
