import { traceIdOf } from "../headers/trace-parent.ts";
import type { FinishedInteraction } from "../session/deps.ts";
import type { Level } from "../session/levels.ts";
import type { LogEvent } from "../session/log-event.ts";

/** Severity numbers of OpenTelemetry (Logs Data Model, "SeverityNumber"). */
const SEVERITIES: ReadonlyMap<Level, number> = new Map([
  ["CRITICAL", 21],
  ["ERROR", 17],
  ["WARN", 13],
  ["INFO", 9],
  ["DEBUG", 5],
]);

/** The severity number of a level. */
export function severityOf(level: Level): number {
  return SEVERITIES.get(level) ?? 0;
}

/** Who exports, as every request of OTLP says. */
export interface OtlpResource {
  readonly service: string;
  readonly instance: string;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

const SCOPE = { name: "@datawire/mdk" };

/** The body of a request to `/v1/logs` (OTLP/HTTP, JSON). */
export function logsRequest(resource: OtlpResource, events: readonly LogEvent[]): object {
  const logRecords = events.map((event) => ({
    timeUnixNano: nanos(event.timestamp),
    severityNumber: severityOf(event.level),
    severityText: event.level,
    body: { stringValue: event.text },
    attributes: attributes({
      "mdk.category": event.category,
      "mdk.clock": JSON.stringify(event.clock),
      "mdk.trace_id": event.traceId,
      "deployment.environment.name": event.environment,
    }),
    ...traceOf(event.traceId),
  }));
  return { resourceLogs: [{ resource: resourceOf(resource), scopeLogs: [{ scope: SCOPE, logRecords }] }] };
}

/** The body of a request to `/v1/traces` (OTLP/HTTP, JSON); interactions of traces that are no UUID are left out. */
export function spansRequest(resource: OtlpResource, interactions: readonly FinishedInteraction[]): object {
  const spans = interactions.flatMap((one) => {
    const traceId = traceIdOf(one.traceId);
    if (traceId === null) return [];
    return [
      {
        traceId,
        spanId: one.spanId,
        ...(one.parentId !== null && { parentSpanId: one.parentId }),
        name: one.name,
        kind: SPAN_KINDS[one.kind],
        startTimeUnixNano: nanos(one.startedMs),
        endTimeUnixNano: nanos(one.endedMs),
        attributes: attributes({ "deployment.environment.name": one.environment }),
        status: one.failure === null ? { code: STATUS_OK } : { code: STATUS_ERROR, message: one.failure },
      },
    ];
  });
  return { resourceSpans: [{ resource: resourceOf(resource), scopeSpans: [{ scope: SCOPE, spans }] }] };
}

/** Of OTLP (trace.proto, SpanKind). */
const SPAN_KINDS = { internal: 1, server: 2, consumer: 5 } as const;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

function traceOf(uuid: string): { readonly traceId?: string } {
  const traceId = traceIdOf(uuid);
  return traceId === null ? {} : { traceId };
}

function resourceOf({ service, instance }: OtlpResource): object {
  return { attributes: attributes({ "service.name": service, "service.instance.id": instance }) };
}

function attributes(values: Readonly<Record<string, string>>): Attribute[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** Nanoseconds as OTLP's JSON has 64-bit numbers: as text. */
function nanos(ms: number): string {
  return (BigInt(Math.round(ms * 1_000)) * 1_000n).toString();
}
