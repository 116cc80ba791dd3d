import protobuf from "protobufjs/light.js";

/** Field numbers and types of the messages that are read, as opentelemetry-proto 1.x has them; others are skipped. */
const field = (type: string, id: number) => ({ type, id });
const many = (type: string, id: number) => ({ rule: "repeated", type, id });

const MESSAGES = {
  ExportTraceServiceRequest: { resourceSpans: many("ResourceSpans", 1) },
  ResourceSpans: { resource: field("Resource", 1), scopeSpans: many("ScopeSpans", 2) },
  ScopeSpans: { scope: field("InstrumentationScope", 1), spans: many("Span", 2) },
  Span: {
    traceId: field("bytes", 1),
    spanId: field("bytes", 2),
    parentSpanId: field("bytes", 4),
    name: field("string", 5),
    kind: field("int32", 6),
    startTimeUnixNano: field("fixed64", 7),
    endTimeUnixNano: field("fixed64", 8),
    attributes: many("KeyValue", 9),
    events: many("Event", 11),
    status: field("Status", 15),
  },
  Event: { timeUnixNano: field("fixed64", 1), name: field("string", 2), attributes: many("KeyValue", 3) },
  Status: { message: field("string", 2), code: field("int32", 3) },
  ExportLogsServiceRequest: { resourceLogs: many("ResourceLogs", 1) },
  ResourceLogs: { resource: field("Resource", 1), scopeLogs: many("ScopeLogs", 2) },
  ScopeLogs: { scope: field("InstrumentationScope", 1), logRecords: many("LogRecord", 2) },
  LogRecord: {
    timeUnixNano: field("fixed64", 1),
    severityNumber: field("int32", 2),
    severityText: field("string", 3),
    body: field("AnyValue", 5),
    attributes: many("KeyValue", 6),
    traceId: field("bytes", 9),
    spanId: field("bytes", 10),
    observedTimeUnixNano: field("fixed64", 11),
    eventName: field("string", 12),
  },
  ExportMetricsServiceRequest: { resourceMetrics: many("ResourceMetrics", 1) },
  ResourceMetrics: { scopeMetrics: many("ScopeMetrics", 2) },
  ScopeMetrics: { metrics: many("Metric", 2) },
  Metric: {
    gauge: field("DataPoints", 5),
    sum: field("DataPoints", 7),
    histogram: field("DataPoints", 9),
    exponentialHistogram: field("DataPoints", 10),
    summary: field("DataPoints", 11),
  },
  DataPoints: { dataPoints: many("DataPoint", 1) },
  DataPoint: {},
  Resource: { attributes: many("KeyValue", 1) },
  InstrumentationScope: { name: field("string", 1) },
  KeyValue: { key: field("string", 1), value: field("AnyValue", 2) },
  AnyValue: {
    stringValue: field("string", 1),
    boolValue: field("bool", 2),
    intValue: field("int64", 3),
    doubleValue: field("double", 4),
    arrayValue: field("ArrayValue", 5),
    kvlistValue: field("KeyValueList", 6),
    bytesValue: field("bytes", 7),
  },
  ArrayValue: { values: many("AnyValue", 1) },
  KeyValueList: { values: many("KeyValue", 1) },
  ExportTraceServiceResponse: { partialSuccess: field("PartialSuccess", 1) },
  // The same numbers in the answers for traces, logs and metrics.
  PartialSuccess: { rejected: field("int64", 1), errorMessage: field("string", 2) },
  // google.rpc.Status, which OTLP/HTTP answers with where it refuses.
  RpcStatus: { code: field("int32", 1), message: field("string", 2) },
} as const;

/** One of AnyValue's fields is set; which one says its type, also where it is empty or zero. */
const ONE_OF = { AnyValue: { value: { oneof: Object.keys(MESSAGES.AnyValue) } } } as const;

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(MESSAGES).map(([name, fields]) => [
      name,
      { fields, ...(name === "AnyValue" ? { oneofs: ONE_OF.AnyValue } : {}) },
    ]),
  ),
});
root.resolveAll();

/** The messages by name. */
export type MessageName = keyof typeof MESSAGES;

/** The type of a message, which reads and writes it. */
export const messageType = (name: MessageName): protobuf.Type => root.lookupType(name);
