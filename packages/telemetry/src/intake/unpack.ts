import { gunzipSync } from "node:zlib";
import { ProtocolError } from "@datawire/protocol";
import { systemErrorCode } from "@datawire/runtime";

/** The largest body, unpacked. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** A body of more than is taken. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
  constructor() {
    super(`Cannot take a body of more than ${BODY_BYTES_MAX} bytes; wanted smaller batches`);
  }
}

/** Unpacks a body. @throws TooLarge, and ProtocolError where it is not packed as it says. */
export function unpack(bytes: Uint8Array, gzip: boolean): Uint8Array {
  if (bytes.length > BODY_BYTES_MAX) throw new TooLarge();
  if (!gzip) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: BODY_BYTES_MAX });
  } catch (cause) {
    if (systemErrorCode(cause) === "ERR_BUFFER_TOO_LARGE") throw new TooLarge();
    throw new ProtocolError("invalid_argument", "Cannot read the body: it is not packed by gzip, as it says", {
      cause,
    });
  }
}
