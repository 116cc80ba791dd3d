import { context, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from "@opentelemetry/api";
import { randomUUID } from "node:crypto";
import type { Observer } from "../app/mdk.ts";
import { traceIdOf } from "../headers/trace-parent.ts";
import type { FinishedInteraction } from "../session/deps.ts";
import type { LogEvent } from "../session/log-event.ts";
import { severityOf } from "./otlp.ts";

/** As far as it is used, what the API of logs has registered for the process: version 1 of it. */
interface LoggerProvider {
  getLogger(name: string): { emit(record: object): void };
}
type LogsApi = (version: number) => LoggerProvider | undefined;

/** Where all copies of that API find it; it is no module here, as few applications have it. */
const LOGS_API = Symbol.for("io.opentelemetry.js.api.logs");
const LOGS_API_VERSION = 1;
const NAME = "@datawire/mdk";
const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;

/**
 * Tells the OpenTelemetry SDK that the application has registered of each interaction, as a span of the session's trace,
 * and of each log event.
 */
export function createSdkObserver(): Observer {
  const tracer = trace.getTracer(NAME);
  return {
    logged: (event) => logger()?.emit(recordOf(event)),
    interacted: ({ traceId, name, kind, startedMs, endedMs, failure, environment }: FinishedInteraction) => {
      const parent = contextOf(traceId);
      if (parent === null) return;
      const attributes = { "deployment.environment.name": environment };
      const span = tracer.startSpan(name, { kind: KINDS[kind], startTime: startedMs, attributes }, parent);
      if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end(endedMs);
    },
    stopping: () => Promise.resolve(),
  };
}

/** Asked each time: an SDK may be registered later. */
function logger() {
  const api = (globalThis as { readonly [LOGS_API]?: LogsApi })[LOGS_API];
  return api?.(LOGS_API_VERSION)?.getLogger(NAME);
}

function recordOf({ traceId, timestamp, level, category, text, clock, environment }: LogEvent): object {
  const attributes = {
    "mdk.category": category,
    "mdk.clock": JSON.stringify(clock),
    "mdk.trace_id": traceId,
    "deployment.environment.name": environment,
  };
  const about = contextOf(traceId);
  const record = { timestamp, severityNumber: severityOf(level), severityText: level, body: text, attributes };
  return about === null ? record : { ...record, context: about };
}

/** The trace of a session, whose own spans are not known here; null for a trace that is no UUID. */
function contextOf(uuid: string): Context | null {
  const traceId = traceIdOf(uuid);
  if (traceId === null) return null;
  const spanId = randomUUID().replaceAll("-", "").slice(-16);
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
