import type { IncomingMessage } from "node:http";
import { ProtocolError } from "@datawire/protocol";
import type { Position } from "../feed/delta-log.ts";
import { parseEventId } from "./event.ts";

/** The table that whoever wants a change has seen; null where that does not matter. Reads `If-Match: "EPOCH.REVISION"`; `*` is any. */
export function seenBy({ method, headers: { "if-match": text } }: IncomingMessage): Position | null {
  if (text === undefined || text.trim() === "*" || method === "GET" || method === "HEAD") return null;
  const position = parseEventId(text.trim().replace(/^"(.*)"$/, "$1"));
  if (position !== null) return position;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(text.slice(0, 100))} as If-Match: wanted "EPOCH.REVISION" of an answer before`,
  );
}
