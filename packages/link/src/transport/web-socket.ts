import type { IncomingMessage } from "node:http";
import { type ErrorCode, FRAME_BYTES_MAX } from "@datawire/protocol";
import { describeError, userAgent } from "@datawire/runtime";
import { type ClientOptions, WebSocket } from "ws";
import type { Connect, Connection, ConnectionEvents } from "./connection.ts";
import { trustOf } from "../credentials/tls.ts";
import { certificateProblem, explainConnectionError, secureOptions } from "./secure-socket.ts";

/** Opens the link of a directory over WebSocket. */
export const connectWebSocket: Connect = (target, events) => {
  const { replica } = target;
  const trust = trustOf(replica, target);
  const problem = trust.state === "none" ? null : certificateProblem(target.tls);
  if (problem !== null) return closedConnection(problem, events);
  const scheme = trust.state === "none" ? "ws" : "wss";
  const socket = new WebSocket(`${scheme}://${replica.host}:${replica.port}/v1/link`, {
    perMessageDeflate: false, // five times slower for many clients, and ten times the memory
    maxPayload: FRAME_BYTES_MAX,
    followRedirects: false,
    headers: {
      "user-agent": userAgent("datawire-link"),
      ...(target.token === null ? {} : { authorization: `Bearer ${target.token}` }),
    },
    // Its types want a createConnection that returns a socket at once; it gives ours to `http.request`, which does not.
    ...(trust.state === "none" ? {} : (secureOptions(trust, target.tls) as unknown as ClientOptions)),
  });
  let ended = false;
  let failure: string | null = null;
  const end = (reason: string, refused: boolean, code?: ErrorCode): void => {
    if (ended) return;
    ended = true;
    if (code === undefined) events.closed(reason, refused);
    else events.closed(reason, refused, code);
  };

  socket.on("open", () => events.opened());
  socket.on("message", (data, isBinary) => {
    if (ended) return;
    if (isBinary) {
      socket.terminate();
      return end("it sent a binary frame, wanted text", false);
    }
    events.text((data as Buffer).toString()); // one Buffer: `binaryType` is left at "nodebuffer"
  });
  socket.on("ping", () => events.alive());
  socket.on("error", (error) => (failure = explainFailure(error)));
  socket.on("unexpected-response", (_request, response) => {
    void explainResponse(response).then(({ reason, code }) => {
      end(reason, code !== undefined, code);
      socket.terminate();
    });
  });
  socket.on("close", (code, reason) => end(failure ?? explainClose(code, reason.toString()), false));

  return {
    send: (text) => socket.send(text, () => {}), // a failure to send is followed by `close`
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close: (code = NORMAL_CLOSURE) => socket.close(code),
    terminate() {
      ended = true;
      socket.terminate();
    },
  };
};

/** A connection that never came to be, as its maker learns in the usual way. */
function closedConnection(reason: string, events: Pick<ConnectionEvents, "closed">): Connection {
  let isWanted = true;
  process.nextTick(() => isWanted && events.closed(reason, false));
  const nothing = (): void => {};
  return { send: nothing, bufferedBytes: 0, close: nothing, terminate: () => void (isWanted = false) };
}

/** RFC 6455, section 7.4.1. */
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
const NO_STATUS = 1005;

/** More of an answer than this is not looked at. */
const ANSWER_BYTES_MAX = 4096;

/** The system's words for a failure; where several addresses of one name were tried, those of the first. */
function explainFailure(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const words = explainConnectionError(first);
  return words === "" ? describeError(error) : words;
}

function explainClose(code: number, reason: string): string {
  if (reason !== "") return reason;
  return code === ABNORMAL_CLOSURE || code === NO_STATUS
    ? "the connection broke"
    : `the directory closed the link (${code})`;
}

/** What a server means that answers the handshake with plain HTTP. */
async function explainResponse(response: IncomingMessage): Promise<{ reason: string; code: ErrorCode | undefined }> {
  const status = response.statusCode ?? 0;
  const code = status === 401 ? "unauthenticated" : status === 403 ? "permission_denied" : undefined;
  const message = messageOf(await readStart(response));
  if (message !== null) return { reason: message, code };
  return { reason: `it answered with HTTP ${status}, wanted a WebSocket: is this a directory?`, code };
}

async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > ANSWER_BYTES_MAX) break;
    }
  } catch {
    // A cut answer explains no less than the part of it that came.
  }
  return Buffer.concat(chunks).toString();
}

function messageOf(body: string): string | null {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: unknown } } | null;
    const message = parsed?.error?.message;
    return typeof message === "string" ? message : null;
  } catch {
    return null;
  }
}
