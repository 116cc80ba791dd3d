import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Answer } from "../served.ts";

/** A request that goes over no socket. */
export interface MemoryRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or a file where it is bytes. */
  readonly body?: string | Uint8Array;
}

/** An answer as it was sent. */
export interface MemoryAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What answers requests. */
type Handle = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** A request as a server of HTTP makes it of what comes over the network. */
export function requestInMemory({ method, path, headers = {}, body }: MemoryRequest): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method, url: path, headers: { ...(body !== undefined && typed(body)), ...headers } });
  if (body !== undefined) req.push(body);
  req.push(null);
  return req;
}

/** Has a request answered by a handler of HTTP as if it had come over the network; reads answers that are not chunked. */
export async function exchangeInMemory(handle: Handle, request: MemoryRequest): Promise<MemoryAnswer> {
  const req = requestInMemory(request);
  const parts: Buffer[] = [];
  const sink = new Duplex({
    read() {},
    write(part: Buffer, _, done) {
      parts.push(part);
      done();
    },
  });
  const res = new ServerResponse(req);
  const finished = new Promise((resolve) => res.once("finish", resolve));
  res.assignSocket(sink as Socket); // what it needs of a socket is a stream
  await handle(req, res);
  await finished;
  const bytes = Buffer.concat(parts);
  const at = bytes.indexOf(END_OF_HEAD);
  const [, ...lines] = bytes.subarray(0, at).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  return { status: res.statusCode, body: bytes.subarray(at + END_OF_HEAD.length), headers };
}

/** As `exchangeInMemory`, with the answer as tests of the API look at it. */
export async function askInMemory(handle: Handle, request: MemoryRequest): Promise<Answer> {
  const { status, headers, body } = await exchangeInMemory(handle, request);
  const isJson = String(headers["content-type"]).startsWith("application/json");
  const text = body.toString("utf8");
  return { status, body: isJson ? (JSON.parse(text) as Answer["body"]) : { text } };
}

const END_OF_HEAD = "\r\n\r\n";

const typed = (body: string | Uint8Array): Record<string, string> => ({
  "content-type": typeof body === "string" ? "application/json" : "application/octet-stream",
  "content-length": String(Buffer.byteLength(body)),
});
