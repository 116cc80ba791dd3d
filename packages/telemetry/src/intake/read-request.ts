import { ProtocolError } from "@datawire/protocol";
import { countPoints } from "../otlp/count-metrics.ts";
import { decodeRequest } from "../otlp/protobuf.ts";
import { readLogs } from "../otlp/read-logs.ts";
import { readTraces } from "../otlp/read-traces.ts";
import type { Format, Signal } from "../otlp/signals.ts";
import type { Taken } from "../otlp/taken.ts";
import type { Message } from "../otlp/values.ts";

/** Reads an unpacked body of OTLP. @throws ProtocolError `invalid_argument` */
export function readRequest(
  bytes: Uint8Array,
  { signal, format, nowMs }: { readonly signal: Signal; readonly format: Format; readonly nowMs: number },
): Taken {
  const request = format === "json" ? parse(bytes) : decodeRequest(signal, bytes);
  switch (signal) {
    case "traces":
      return readTraces(request);
    case "logs":
      return readLogs(request, nowMs);
    case "metrics": {
      const count = countPoints(request);
      return { spans: [], events: [], rejected: { count, reason: count === 0 ? "" : "a directory keeps no metrics" } };
    }
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    // What the parser says of it would repeat the body.
    throw new ProtocolError("invalid_argument", "Cannot read the body: it is no JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Message;
  throw new ProtocolError("invalid_argument", "Cannot read the body: it is no JSON object");
}
