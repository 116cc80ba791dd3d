import type { LogLevelWord } from "@datawire/protocol";
import { type Attributes, type EventRecord, type Json, traceKey } from "../model/records.ts";
import { messageType } from "./messages.ts";

/** As the library's own exporter has them. */
const SEVERITIES: Readonly<Record<LogLevelWord, number>> = { CRITICAL: 21, ERROR: 17, WARN: 13, INFO: 9, DEBUG: 5 };
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;

/** Events that did not come as OTLP, as an ExportLogsServiceRequest in protobuf. */
export function encodeLogs(events: readonly EventRecord[]): Uint8Array {
  const type = messageType("ExportLogsServiceRequest");
  const resourceLogs = [...Map.groupBy(events, ({ resource }) => JSON.stringify(resource)).values()].flatMap(
    (group) => {
      const resource = group[0]?.resource;
      if (resource === undefined) return [];
      const said = {
        "service.name": resource.service ?? resource.node,
        "service.instance.id": resource.instance ?? resource.node,
        "deployment.environment.name": resource.environment,
        ...resource.attributes,
      };
      return [{ resource: { attributes: attributes(said) }, scopeLogs: [{ logRecords: group.map(record) }] }];
    },
  );
  return type.encode(type.fromObject({ resourceLogs })).finish();
}

function record({ traceId, clock, timestamp, level, category, text, attributes: said }: EventRecord): object {
  const key = traceId === null ? "" : traceKey(traceId);
  const isTrace = TRACE_ID.test(key);
  return {
    timeUnixNano: `${Math.round(timestamp * 1_000)}000`,
    severityNumber: SEVERITIES[level],
    severityText: level,
    body: { stringValue: text },
    attributes: attributes({
      ...said,
      "mdk.category": category,
      "mdk.clock": clock.join("."),
      // An id that OTLP cannot hold is told all the same.
      ...(isTrace || traceId === null ? {} : { "mdk.trace_id": traceId }),
    }),
    ...(isTrace ? { traceId: bytesOf(key) } : {}),
  };
}

const attributes = (said: Attributes): object[] =>
  Object.entries(said).flatMap(([key, value]) => (value === null ? [] : [{ key, value: anyValue(value) }]));

function anyValue(value: Json): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value };
  return { stringValue: JSON.stringify(value) };
}

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
