import { LOG_LEVELS } from "@datawire/protocol";
import { z } from "zod";

/** From the worst to the least important. */
const level = z.enum(LOG_LEVELS);

/** Milliseconds since 1970, to the microsecond, by the clock of who measured. */
const moment = z.number();

const attributes = z.lazy(() => z.record(z.string(), z.json()));

/** The program that sent a span or an event; null for what its resource does not say. */
const origin = {
  service: z.string().nullable(),
  instance: z.string().nullable(),
  resource: attributes.meta({ description: "What else OpenTelemetry's resource says of the process" }),
};

const span = z.lazy(() =>
  z.object({
    traceId: z.string().meta({ description: "As it was sent" }),
    spanId: z.string(),
    parentId: z.string().nullable(),
    ...origin,
    version: z.string().nullable(),
    name: z.string(),
    kind: z.enum(["internal", "server", "client", "producer", "consumer"]),
    start: moment,
    durationMs: z.number(),
    status: z.enum(["ok", "error"]),
    message: z.string().nullable().meta({ description: "What its status says" }),
    scope: z.string().nullable().meta({ description: "The library that made it" }),
    attributes,
  }),
);

const event = z.lazy(() =>
  z.object({
    id: z.string().meta({ description: "Tells it from all others" }),
    traceId: z.string().nullable().meta({ description: "As it was sent" }),
    clock: z.array(z.number()).meta({ description: "When it was within its trace, [1] < [1,1] < [2]; empty for OTLP" }),
    timestamp: moment,
    node: z.string(),
    level,
    category: z.string(),
    text: z.string(),
    environment: z.string().nullable(),
    spanId: z.string().nullable(),
    ...origin,
    attributes,
  }),
);

const summary = z.lazy(() =>
  z.object({
    traceId: z.string(),
    firstMs: moment,
    lastMs: moment,
    events: z.int(),
    level: level.nullable().meta({ description: "The worst of its events; null without any" }),
    nodes: z.array(z.string()),
    service: z.string().nullable().meta({ description: "Of its first span, or its first event" }),
    name: z.string().nullable().meta({ description: "Of its first span" }),
    durationMs: z.number(),
    services: z.array(z.string()),
    spans: z.int(),
    errors: z.int().meta({ description: "Spans that failed, and events of ERROR and worse outside of spans" }),
  }),
);

/** One span, as `GET /v1/traces/ID` gives it. */
export type Span = z.output<typeof span>;
/** One log event, as `GET /v1/logs` and `GET /v1/traces/ID` give it. */
export type LogEvent = z.output<typeof event>;
/** A trace in few words, as `GET /v1/traces` gives it. */
export type TraceSummary = z.output<typeof summary>;

const cursor = z.string().nullable().meta({ description: "`cursor` of the next page; null at the end" });
const missing = z.lazy(() =>
  z
    .array(z.string())
    .meta({ description: "Addresses of the directories on the same store that did not answer in time" }),
);
const dropped = z.lazy(() =>
  z
    .record(z.string(), z.int())
    .meta({ description: "Spans and events that were lost since the start of this directory, by reason" }),
);

/** What traces there are, each in few words. */
export const tracesAnswer = z.lazy(() => z.object({ traces: z.array(summary), next: cursor, dropped, missing }));

/** All that is known of one trace. */
export const traceAnswer = z.lazy(() =>
  z.object({
    traceId: z.string(),
    spans: z.array(span),
    events: z.array(event),
    partial: z
      .boolean()
      .meta({ description: "Whether there may be more: a directory did not answer, or it is too long" }),
  }),
);

/** Log events, of whichever trace. */
export const logsAnswer = z.lazy(() =>
  z.object({
    events: z.array(event).meta({ description: "The newest first; after `after`, as they came" }),
    next: cursor,
    tail: z.string().meta({ description: "`after` of the request for what comes from now on" }),
    dropped,
    missing,
  }),
);
