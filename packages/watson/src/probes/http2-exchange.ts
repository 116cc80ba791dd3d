import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { TLSSocket } from "node:tls";
import { HEAD_LIMITS } from "@datawire/protocol";
import type { TlsCheck } from "../model/service-definition.ts";
import { openSocket } from "./open-socket.ts";
import type { Network } from "./prober.ts";

/** One request, and where it goes. */
export interface Http2Request {
  readonly origin: URL;
  readonly headers: OutgoingHttpHeaders;
  /** Sent as the body; null for none. */
  readonly body: Uint8Array | null;
  readonly tls: TlsCheck;
  /** The response is cut after so many bytes. */
  readonly bodyBytesMax: number;
}

/** All that came back. */
export interface Http2Response {
  readonly headers: IncomingHttpHeaders;
  /** Empty where there were none. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request over an HTTP/2 connection of its own; with prior knowledge where the origin is not https. */
export function exchangeHttp2(request: Http2Request, network: Network, signal: AbortSignal): Promise<Http2Response> {
  return new Promise((resolve, reject) => {
    const { origin } = request;
    const socket = openSocket({ ...request, alpn: "h2" }, network);
    // Where the two sides have not agreed on HTTP/2, HAProxy speaks HTTP/1.
    if (socket instanceof TLSSocket) {
      socket.once("secureConnect", () => {
        if (socket.alpnProtocol !== "h2") end(() => reject(new Error("it does not agree on h2 by ALPN")));
      });
    }
    // Loaded by the first that needs it: most machines have no such check.
    const { connect } = process.getBuiltinModule("node:http2");
    const session = connect(origin, {
      createConnection: () => socket,
      // As HAProxy: nothing may be pushed, and as many headers pass.
      settings: { enablePush: false },
      maxHeaderListPairs: HEAD_LIMITS.lines,
    });
    const abort = (): void => session.destroy();
    signal.addEventListener("abort", abort, { once: true });
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", abort);
      session.destroy();
      settle();
    };
    session.once("error", (error: Error) => end(() => reject(error)));
    session.once("close", () => end(() => reject(closedEarly())));

    const stream = session.request(request.headers, { endStream: request.body === null });
    if (request.body !== null) stream.end(request.body);
    let headers: IncomingHttpHeaders | null = null;
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void =>
      end(() =>
        headers === null ? reject(closedEarly()) : resolve({ headers, trailers, body: Buffer.concat(chunks) }),
      );
    stream.once("response", (received) => (headers = received));
    stream.once("trailers", (received) => (trailers = received));
    stream.on("data", (chunk: Buffer) => {
      const room = request.bodyBytesMax - bytes;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      bytes += chunk.length;
      if (bytes >= request.bodyBytesMax) finish();
    });
    stream.once("end", finish);
    stream.once("error", (error: Error) => end(() => reject(error)));
  });
}

function closedEarly(): Error {
  return Object.assign(new Error("the connection was closed before an answer"), { code: "ECONNRESET" });
}
