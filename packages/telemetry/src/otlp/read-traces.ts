import { own } from "@datawire/protocol";
import { type EventRecord, type Resource, type SpanRecord, traceKey } from "../model/records.ts";
import type { Rejections, Taken } from "./taken.ts";
import { readResource } from "./resources.ts";
import {
  attributes,
  enumeration,
  id,
  type Message,
  message,
  messages,
  milliseconds,
  number,
  Parts,
  text,
} from "./values.ts";

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const KIND_NAMES = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map(
  (name) => `SPAN_KIND_${name}`,
);
const STATUS_NAMES = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
const STATUS_ERROR = 2;

const NAME_MAX = 4_096;
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/i;

/**
 * Reads an ExportTraceServiceRequest. Events of spans become events of their traces.
 * @throws ProtocolError for what is none; single spans that cannot be kept are rejected by themselves.
 */
export function readTraces(request: Message): Taken {
  const spans: SpanRecord[] = [];
  const events: EventRecord[] = [];
  const rejections: Rejections = { count: 0, reason: "" };
  const parts = new Parts();
  for (const part of parts.of(request, "resourceSpans")) {
    const resource = readResource(part);
    for (const scoped of parts.of(part, "scopeSpans")) {
      const scope = text(message(scoped, "scope"), "name").slice(0, NAME_MAX);
      for (const span of messages(scoped, "spans")) {
        const read = readSpan(span, { resource, scope: scope === "" ? null : scope });
        if (typeof read === "string") {
          rejections.count += 1;
          rejections.reason ||= read;
          continue;
        }
        spans.push(read);
        for (const event of messages(span, "events")) events.push(readEvent(event, read));
      }
    }
  }
  return { spans, events, rejected: rejections };
}

/** Reads one span, or says why it cannot be kept. */
function readSpan(
  span: Message,
  { resource, scope }: { readonly resource: Resource; readonly scope: string | null },
): SpanRecord | string {
  const traceId = id(span, "traceId");
  const spanId = id(span, "spanId");
  if (!TRACE_ID.test(traceKey(traceId))) return `its traceId ${quoted(traceId)} is not 32 hexadecimal digits`;
  if (!SPAN_ID.test(spanId)) return `its spanId ${quoted(spanId)} is not 16 hexadecimal digits`;
  const parentId = id(span, "parentSpanId");
  const start = milliseconds(number(span, "startTimeUnixNano"));
  const end = milliseconds(number(span, "endTimeUnixNano"));
  if (start <= 0) return "it has no startTimeUnixNano";
  const status = message(span, "status");
  const said = text(status, "message");
  return {
    traceId,
    spanId,
    parentId: SPAN_ID.test(parentId) ? parentId : null,
    name: text(span, "name").slice(0, NAME_MAX),
    kind: KINDS[enumeration(span, "kind", KIND_NAMES)] ?? "internal",
    start,
    durationMs: Math.max(0, Math.round((end - start) * 1_000) / 1_000),
    status: enumeration(status, "code", STATUS_NAMES) === STATUS_ERROR ? "error" : "ok",
    message: said === "" ? null : said.slice(0, NAME_MAX),
    scope,
    attributes: attributes(span, "attributes"),
    resource,
  };
}

/** An exception is an error (opentelemetry.io/docs/specs/semconv/exceptions); what else a span tells is for information. */
function readEvent(event: Message, { traceId, spanId, start, scope, resource }: SpanRecord): EventRecord {
  const name = text(event, "name").slice(0, NAME_MAX);
  const said = attributes(event, "attributes");
  const isException = name === "exception";
  const why = ["exception.type", "exception.message"].flatMap((key) => {
    const value = own(said, key);
    return typeof value === "string" && value !== "" ? [value] : [];
  });
  const at = milliseconds(number(event, "timeUnixNano"));
  return {
    traceId,
    spanId,
    clock: [],
    timestamp: at > 0 ? at : start,
    level: isException ? "ERROR" : "INFO",
    category: scope ?? "span",
    text: isException && why.length > 0 ? why.join(": ") : name,
    attributes: said,
    resource,
  };
}

const quoted = (value: string): string => JSON.stringify(value.slice(0, 64));
