import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { type ErrorBody, type ErrorCode, httpStatus } from "@datawire/protocol";

/** The path of a request without its query. */
export const pathOf = (req: IncomingMessage): string => (req.url ?? "/").replace(/[?#].*$/s, "");

/** The query of a request: all behind the first question mark, as a value may have more of them. */
export const queryOf = (req: IncomingMessage): URLSearchParams =>
  new URLSearchParams(/^[^?#]*\?([^#]*)/.exec(req.url ?? "")?.[1] ?? "");

/**
 * Smaller answers are sent as they are: packing them saves nobody a moment, and many clients say that they take gzip
 * without a thought.
 */
const PACKED_BYTES_MIN = 32 * 1024;
/** Others pack smaller by a tenth, for three to seven times of the CPU. */
const LEVEL = { level: constants.Z_BEST_SPEED };

const pack = promisify(gzip);

/** Answers with text and closes the exchange. */
export function send(res: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers });
  res.end(`${text}\n`);
}

/** The type of JSON. */
const JSON_TYPE = "application/json; charset=utf-8";

/** JSON that is written already, as an answer of 200. */
export const jsonAnswer = (body: Uint8Array): WholeAnswer => ({ status: 200, type: JSON_TYPE, body });

/** Answers with JSON; an answer that has begun is cut instead. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { "content-type": JSON_TYPE, "cache-control": "no-store", ...headers });
  res.end(`${JSON.stringify(body)}\n`);
}

/** An answer that is there as a whole, before it is sent. */
export interface WholeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends an answer: packed by gzip where it is large and who asks takes that, off the thread that answers all others. What
 * an `ETag` then stands for is no more the same to the byte (RFC 9110, section 8.8.1).
 */
export async function sendWhole(
  req: IncomingMessage,
  res: ServerResponse,
  { status, type, body, headers }: WholeAnswer,
): Promise<void> {
  const isPacked = body.byteLength >= PACKED_BYTES_MIN && takesGzip(req);
  const bytes = isPacked ? await pack(body, LEVEL) : body;
  const etag = headers?.["etag"];
  res.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    vary: "Accept-Encoding",
    ...headers,
    ...(isPacked && { "content-encoding": "gzip" }),
    ...(isPacked && etag !== undefined && { etag: etag.replace(/^"/, 'W/"') }),
    "content-length": bytes.byteLength,
  });
  res.end(bytes);
}

/** The body of a refusal. */
export const errorBody = (code: ErrorCode, message: string): ErrorBody => ({ error: { code, message } });

/** A refusal on a connection that no server answers for: it asked for another protocol, or was not let in at all. */
export interface RawRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** Default: that of the code. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers in plain HTTP/1.1 on a bare connection, and ends it. */
export function endWithRefusal(
  socket: Duplex,
  { code, message, status = httpStatus(code), headers }: RawRefusal,
): void {
  const body = `${JSON.stringify(errorBody(code, message))}\n`;
  const fields = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`);
}

/** Whether an answer may be packed with gzip. RFC 9110, section 12.5.3: `gzip;q=0` says that it may not. */
export function takesGzip({ headers: { "accept-encoding": header } }: IncomingMessage): boolean {
  const taken = (header ?? "").split(",");
  return taken.some((one) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(one));
}
