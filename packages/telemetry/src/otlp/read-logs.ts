import { LOG_TEXT_LENGTH_MAX, own } from "@datawire/protocol";
import { levelOfSeverity } from "../model/levels.ts";
import { type EventRecord, type Resource, traceKey } from "../model/records.ts";
import { readResource } from "./resources.ts";
import type { Taken } from "./taken.ts";
import {
  anyValue,
  attributes,
  id,
  type Message,
  message,
  messages,
  milliseconds,
  number,
  Parts,
  text,
} from "./values.ts";

const NAME_MAX = 1_000;
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/i;

/**
 * Reads an ExportLogsServiceRequest.
 * @param nowMs the time of records that tell none.
 * @throws ProtocolError for what is none.
 */
export function readLogs(request: Message, nowMs: number): Taken {
  const events: EventRecord[] = [];
  const parts = new Parts();
  for (const part of parts.of(request, "resourceLogs")) {
    const resource = readResource(part);
    for (const scoped of parts.of(part, "scopeLogs")) {
      const scope = text(message(scoped, "scope"), "name");
      for (const record of messages(scoped, "logRecords")) events.push(readRecord(record, { resource, scope, nowMs }));
    }
  }
  return { spans: [], events, rejected: { count: 0, reason: "" } };
}

interface Around {
  readonly resource: Resource;
  readonly scope: string;
  readonly nowMs: number;
}

function readRecord(record: Message, { resource, scope, nowMs }: Around): EventRecord {
  const traceId = id(record, "traceId");
  const spanId = id(record, "spanId");
  const at = number(record, "timeUnixNano") || number(record, "observedTimeUnixNano");
  const body = anyValue(own(record, "body"));
  const name = text(record, "eventName");
  return {
    traceId: TRACE_ID.test(traceKey(traceId)) ? traceId : null,
    spanId: SPAN_ID.test(spanId) ? spanId : null,
    clock: [],
    timestamp: at > 0 ? milliseconds(at) : nowMs,
    level: levelOfSeverity(number(record, "severityNumber"), text(record, "severityText")),
    category: (name || scope).slice(0, NAME_MAX),
    text: textOf(body).slice(0, LOG_TEXT_LENGTH_MAX),
    attributes: attributes(record, "attributes"),
    resource,
  };
}

function textOf(body: ReturnType<typeof anyValue>): string {
  if (body === null) return "";
  return typeof body === "string" ? body : JSON.stringify(body);
}
