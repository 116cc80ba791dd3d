import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Answer } from "./served.ts";

/** A request that goes over no socket. */
export interface MemoryRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
}

/** Has a request answered by a handler of HTTP as if it had come over the network; reads answers that are not chunked. */
export async function askInMemory(
  handle: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>,
  { method, path, headers = {}, body }: MemoryRequest,
): Promise<Answer> {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method, url: path, headers: { ...(body !== undefined && typed(body)), ...headers } });
  if (body !== undefined) req.push(body);
  req.push(null);
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
  const [head = "", content = ""] = Buffer.concat(parts).toString("utf8").split("\r\n\r\n", 2);
  const isJson = /^content-type: application\/json/im.test(head);
  return { status: res.statusCode, body: isJson ? (JSON.parse(content) as Answer["body"]) : { text: content } };
}

const typed = (body: string): Record<string, string> => ({
  "content-type": "application/json",
  "content-length": String(Buffer.byteLength(body)),
});
