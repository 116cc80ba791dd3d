import type { Format } from "../otlp/signals.ts";

/** Codes of google.rpc.Status (google/rpc/code.proto) by the status of an answer; others are INTERNAL. */
const RPC_CODES: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [404, 5],
  [413, 3],
  [415, 3],
  [429, 8],
  [503, 14],
]);
const INTERNAL = 13;

/** What a request of OTLP is refused with: a google.rpc.Status, in JSON beside the error that all answers have. */
export async function refusalBody(
  format: Format,
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
): Promise<Uint8Array> {
  const rpcCode = RPC_CODES.get(status) ?? INTERNAL;
  if (format === "json")
    return Buffer.from(`${JSON.stringify({ code: rpcCode, message, error: { code, message } })}\n`);
  // Loaded by the first one: a directory that refuses nobody has protobuf in the thread that reads bodies alone.
  const { encodeStatus } = await import("../otlp/protobuf.ts");
  return encodeStatus(rpcCode, message);
}
