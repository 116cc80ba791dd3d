/**
 * The one message each way of the gRPC health protocol, written by hand: a protobuf library for two fields would be the
 * largest part of Watson. See https://github.com/grpc/grpc/blob/master/doc/health-checking.md and
 * https://protobuf.dev/programming-guides/encoding/.
 */

/** The answers of `grpc.health.v1.Health/Check`. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

const STATUSES: readonly ServingStatus[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const FRAME_HEADER_BYTES = 5;

/** `HealthCheckRequest { string service = 1; }` in a gRPC frame: a flag for compression and the length before it. */
export function encodeHealthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  const message = name.length === 0 ? [] : [0x0a, ...varint(name.length), ...name];
  const frame = new Uint8Array(FRAME_HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/** The status of `HealthCheckResponse { ServingStatus status = 1; }`; null when that is not what came. */
export function decodeHealthResponse(frame: Uint8Array): ServingStatus | null {
  if (frame.length < FRAME_HEADER_BYTES || frame[0] !== 0) return null;
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(1);
  const message = frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
  if (message.length !== length) return null;
  return statusIn(message);
}

function statusIn(message: Uint8Array): ServingStatus | null {
  let status = 0; // proto3 leaves the default out
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === null) return null;
    const value = readVarint(message, tag.end);
    if (value === null) return null;
    const [field, wireType] = [tag.value >>> 3, tag.value & 7];
    if (wireType === 0) {
      if (field === 1) status = value.value;
      at = value.end;
    } else if (wireType === 2) at = value.end + value.value;
    else return null;
  }
  return STATUSES[status] ?? null;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let at = start, shift = 0; at < bytes.length && shift < 32; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 };
  }
  return null;
}
