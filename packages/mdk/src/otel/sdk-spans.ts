import { context, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { randomBytes } from "node:crypto";
import type { Observer } from "../app/mdk.ts";
import { traceIdOf } from "../headers/trace-parent.ts";
import type { FinishedInteraction } from "../session/deps.ts";

/** Tells the OpenTelemetry SDK that the application has registered of each interaction, as a span of the session's trace. */
export function createSpanObserver(): Observer {
  const tracer = trace.getTracer("@datawire/mdk");
  return {
    logged: () => {},
    interacted: ({ traceId: uuid, startedMs, endedMs, failure, environment }: FinishedInteraction) => {
      const traceId = traceIdOf(uuid);
      if (traceId === null) return;
      // The parent stands for whoever began the trace: its own spans are not known here.
      const parent = {
        traceId,
        spanId: randomBytes(8).toString("hex"),
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      };
      const options = {
        kind: SpanKind.SERVER,
        startTime: startedMs,
        attributes: { "deployment.environment.name": environment },
      };
      const span = tracer.startSpan("interaction", options, trace.setSpanContext(context.active(), parent));
      if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end(endedMs);
    },
    stopping: () => Promise.resolve(),
  };
}
