import { isName } from "@datawire/protocol";
import type { PlannedInstance } from "../model/plan.ts";
import { isFailed, type ProxiedRequest } from "./span-lines.ts";

/** What a span says beyond what HAProxy told. */
export interface SpanContext {
  /** The name of this Sherlock. */
  readonly caller: string;
  /** Which instance a server stands for. */
  instanceOf(backend: string, server: string): PlannedInstance | null;
  /** An id for a span that has none yet: 16 hexadecimal digits. */
  newId(): string;
}

/** Kinds and codes of OTLP (opentelemetry/proto/trace/v1/trace.proto). */
const KIND_CLIENT = 3;
const STATUS_ERROR = 2;
const NAME_LENGTH_MAX = 200;

type Attribute = {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: number };
};

/** Writes requests as an ExportTraceServiceRequest, in JSON: each under the instance that it went to. */
export function otlpSpans(requests: readonly ProxiedRequest[], context: SpanContext): object {
  const groups = new Map<string, { readonly resource: object; readonly spans: object[] }>();
  for (const request of requests) {
    const instance = context.instanceOf(request.backend, request.server);
    const service = serviceOf(request) ?? context.caller;
    const key = [service, instance?.version ?? "", instance?.name ?? ""].join("\n");
    const group = groups.get(key) ?? { resource: resourceOf(service, instance), spans: [] };
    groups.set(key, group);
    group.spans.push(spanOf(request, context));
  }
  return {
    resourceSpans: [...groups.values()].map(({ resource, spans }) => ({
      resource,
      scopeSpans: [{ scope: { name: "sherlock" }, spans }],
    })),
  };
}

/** Where it went, which a route may have made another service than the one asked for; else what was asked for. */
function serviceOf({ backend, service }: ProxiedRequest): string | null {
  if (backend.includes(":")) return backend.slice(0, backend.indexOf(":"));
  return service !== null && isName(service) ? service : null;
}

function resourceOf(service: string, instance: PlannedInstance | null): object {
  return {
    attributes: [
      text("service.name", service),
      ...(instance?.version == null ? [] : [text("service.version", instance.version)]),
      ...(instance === null ? [] : [text("service.instance.id", instance.name)]),
    ],
  };
}

function spanOf(request: ProxiedRequest, { caller, newId }: SpanContext): object {
  const { method, path, status, startMs, totalMs, traceId, spanId, parentId } = request;
  const isError = isFailed(request);
  return {
    traceId: traceId ?? `${newId()}${newId()}`,
    spanId: spanId ?? newId(),
    ...(parentId !== null && { parentSpanId: parentId }),
    name: `${method} ${path ?? ""}`.trim().slice(0, NAME_LENGTH_MAX),
    kind: KIND_CLIENT,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(startMs + totalMs),
    attributes: [
      text("datawire.caller", caller),
      text("http.request.method", method),
      ...(path === null ? [] : [text("url.path", path)]),
      ...(status > 0 ? [number("http.response.status_code", status)] : []),
      text("client.address", request.client),
      ...(request.retries > 0 ? [number("http.request.resend_count", request.retries)] : []),
      number("datawire.bytes", request.bytes),
      ...timings(request),
      ...(request.end === "--" ? [] : [text("datawire.end", request.end)]),
      ...(isError ? [text("error.type", status >= 500 ? `${status}` : request.end)] : []),
    ],
    ...(isError && { status: { code: STATUS_ERROR, message: whyOf(request) } }),
  };
}

/** Those that the request came to. */
function timings({ queueMs, connectMs, responseMs }: ProxiedRequest): Attribute[] {
  const all = [
    ["datawire.queue_ms", queueMs],
    ["datawire.connect_ms", connectMs],
    ["datawire.response_ms", responseMs],
  ] as const;
  return all.flatMap(([key, ms]) => (ms < 0 ? [] : [number(key, ms)]));
}

/** What the side of the server did (configuration manual, "Session state at disconnection"). */
const ENDS: ReadonlyMap<string, string> = new Map([
  ["SC", "no connection to an instance could be made"],
  ["sC", "no connection to an instance was made in time"],
  ["SH", "the instance broke off before its answer"],
  ["sH", "the instance did not answer in time"],
  ["SD", "the instance broke off within its answer"],
  ["sD", "the instance was silent within its answer for too long"],
  ["sQ", "no connection became free in time"],
]);

function whyOf({ status, end }: ProxiedRequest): string {
  const why = ENDS.get(end);
  return [...(status > 0 ? [`${status}`] : []), ...(why === undefined ? [] : [why])].join(": ");
}

const nanoseconds = (ms: number): string => `${ms}000000`;
const text = (key: string, stringValue: string): Attribute => ({ key, value: { stringValue } });
const number = (key: string, intValue: number): Attribute => ({ key, value: { intValue } });
