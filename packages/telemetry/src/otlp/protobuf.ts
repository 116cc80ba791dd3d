import { ProtocolError } from "@datawire/protocol";
import { hasMoreMessages } from "./has-more-messages.ts";
import { messageType } from "./messages.ts";
import type { Signal } from "./signals.ts";
import type { Message } from "./values.ts";

const REQUESTS = {
  traces: messageType("ExportTraceServiceRequest"),
  logs: messageType("ExportLogsServiceRequest"),
  metrics: messageType("ExportMetricsServiceRequest"),
} as const;

/** As many as an exporter has in a body of 16 MiB, twice. A small body cannot have too many. */
const MESSAGES_MAX = 1_000_000;
const LOOKED_AT_FROM_BYTES = 1024 * 1024;

/** Reads the body of a request. @throws ProtocolError `invalid_argument` where it is none. */
export function decodeRequest(signal: Signal, bytes: Uint8Array): Message {
  try {
    const isLarge = bytes.length > LOOKED_AT_FROM_BYTES;
    if (isLarge && hasMoreMessages(REQUESTS[signal], bytes, MESSAGES_MAX))
      throw new ProtocolError("invalid_argument", `Cannot read the body: it has more than ${MESSAGES_MAX} messages`);
    return REQUESTS[signal].decode(bytes);
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError("invalid_argument", "Cannot read the body: it is no protobuf message of OTLP", { cause });
  }
}

const response = messageType("ExportTraceServiceResponse");
const status = messageType("RpcStatus");

/** The answer to a request of which some may have been rejected. */
export function encodePartialSuccess({
  count,
  reason,
}: {
  readonly count: number;
  readonly reason: string;
}): Uint8Array {
  if (count === 0 && reason === "") return new Uint8Array();
  return response.encode({ partialSuccess: { rejected: count, errorMessage: reason } }).finish();
}

/** The answer to a request that was refused. */
export const encodeStatus = (code: number, message: string): Uint8Array => status.encode({ code, message }).finish();
