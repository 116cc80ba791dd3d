import { once } from "node:events";
import { type IncomingMessage, request, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Seen } from "../fixtures/http-instances.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly trailers: IncomingMessage["trailers"];
  readonly body: Buffer;
  /** What the instance saw of the request; empty where the answer is not of an instance that tells. */
  readonly seen: Seen;
}

/** Makes one request to a port of loopback, over a connection of its own, as its path and headers are. */
export async function askHttp(
  port: number,
  path: string,
  { body, ...options }: RequestOptions & { body?: Buffer } = {},
): Promise<Answer> {
  const sent = request({ host: "127.0.0.1", port, path, agent: false, ...options });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const whole = await buffer(response);
  const isJson = response.headers["content-type"] === "application/json" && whole.length > 0;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    trailers: response.trailers,
    body: whole,
    seen: isJson ? (JSON.parse(whole.toString()) as Seen) : ({} as Seen),
  };
}

/** Writes bytes as they are and gives all that comes back until the other side ends, or `until` has come. */
export async function exchangeBytes(port: number, bytes: string, until?: RegExp): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  let heard = "";
  for await (const data of socket) {
    heard += String(data);
    if (until?.test(heard) === true) break;
  }
  socket.destroy();
  return heard;
}
