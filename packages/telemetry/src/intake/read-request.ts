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
  const excess = excessOf(bytes);
  if (excess !== null) throw new ProtocolError("invalid_argument", `Cannot read the body: ${excess}`);
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

/** Nothing of OTLP is nested deeper, or has more objects in 16 MiB: what does takes twenty times its size in memory. */
const DEPTH_MAX = 200;
const OBJECTS_MAX = 1_000_000;

/** What of JSON would take too much to be parsed; null for nothing. */
function excessOf(bytes: Uint8Array): string | null {
  let depth = 0;
  let objects = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === BRACE_OPEN || byte === BRACKET_OPEN) {
      depth += 1;
      objects += 1;
      if (depth > DEPTH_MAX) return "it is nested too deep";
      if (objects > OBJECTS_MAX) return `it has more than ${OBJECTS_MAX} objects and lists`;
    } else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) depth -= 1;
  }
  return null;
}

const [QUOTE, BACKSLASH, BRACE_OPEN, BRACE_CLOSE, BRACKET_OPEN, BRACKET_CLOSE] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
