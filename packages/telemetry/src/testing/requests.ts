/** A moment in nanoseconds since 1970, as JSON of OTLP writes it. */
export const nanos = (ms: number): string => `${Math.round(ms * 1_000)}000`;

/** An attribute of OTLP. */
const attribute = (key: string, value: unknown) => ({ key, value: anyValue(value) });

function anyValue(value: unknown): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: attributes(value as object) } };
}

/** Attributes of OTLP. */
export const attributes = (all: object): object[] => Object.entries(all).map(([key, value]) => attribute(key, value));

/** What a span of a test may have; all else has a default. */
export interface SpanFields {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly failed?: boolean;
  readonly attributes?: object;
  readonly events?: readonly object[];
}

/** A trace id of a test. */
export const traceIdOf = (number: number): string => number.toString(16).padStart(32, "0");

/** A span in JSON of OTLP. */
export function spanOf(fields: SpanFields = {}): object {
  const { startMs = 1_000, durationMs = 10, failed = false } = fields;
  return {
    traceId: fields.traceId ?? traceIdOf(1),
    spanId: fields.spanId ?? "00000000000000a1",
    parentSpanId: fields.parentSpanId ?? "",
    name: fields.name ?? "work",
    kind: 2,
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(startMs + durationMs),
    status: failed ? { code: 2, message: "it broke" } : {},
    attributes: attributes(fields.attributes ?? {}),
    events: fields.events ?? [],
  };
}

/** A request with these spans in JSON of OTLP. */
export const traceRequest = (spans: readonly object[], resource: object = { "service.name": "shop" }): object => ({
  resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ scope: { name: "test" }, spans }] }],
});

/** A request with these log records in JSON of OTLP. */
export const logRequest = (logRecords: readonly object[], resource: object = { "service.name": "shop" }): object => ({
  resourceLogs: [
    { resource: { attributes: attributes(resource) }, scopeLogs: [{ scope: { name: "test" }, logRecords }] },
  ],
});

/** The bytes of a body in JSON. */
export const bytesOf = (body: object): Uint8Array => new TextEncoder().encode(JSON.stringify(body));
