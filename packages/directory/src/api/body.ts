import type { IncomingMessage } from "node:http";
import { ProtocolError } from "@datawire/protocol";

/** The largest body of a change: 100 routes with long conditions are a tenth of it. */
const BODY_BYTES_MAX = 512 * 1024;

/**
 * Reads a JSON body.
 * @throws ProtocolError `limit_exceeded` past the bound, `invalid_argument` for anything that is no JSON.
 */
export async function readBody(req: IncomingMessage): Promise<unknown> {
  const type = (req.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    // A page on another site can send forms and text without asking its reader's browser, and JSON it cannot.
    throw new ProtocolError(
      "invalid_argument",
      `Cannot take a body of type ${JSON.stringify(type)}: wanted application/json`,
    );
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new ProtocolError("limit_exceeded", `Cannot take a body of more than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new ProtocolError("invalid_argument", "Cannot read the body: it is no JSON");
  }
}
