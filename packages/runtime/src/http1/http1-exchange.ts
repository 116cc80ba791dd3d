import type { Socket } from "node:net";
import { createBodyReader, type BodyReader } from "./response-body.ts";
import { readResponseHead } from "./response-head.ts";

/** One request without a body, as it is sent. */
export interface Http1Request {
  readonly method: string;
  readonly path: string;
  /** `Host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** How much of the body is wanted; null where the body does not matter, and is not read. */
  readonly bodyBytesMax: number | null;
}

/** A response, as far as it was wanted. */
export interface Http1Response {
  readonly status: number;
  /** Null where it was not wanted. */
  readonly body: Buffer | null;
}

/** An answer that HAProxy would refuse: the message says what is wrong with it. */
export class InvalidResponse extends Error {
  override readonly name = "InvalidResponse";
}

/**
 * The most interim responses (1xx) before the final one: more than anything sends, and far fewer than HAProxy accepts.
 */
const INTERIM_MAX = 20;

/**
 * Makes one request over a connection of its own, and accepts what HAProxy would accept as an answer. The clients of
 * Node and of libraries do not fit, as their parsers accept what HAProxy refuses, and hide the bytes.
 * @param socket about to connect, or connected; closed at the end.
 * @throws InvalidResponse, or the error of the connection.
 */
export function exchangeHttp1(request: Http1Request, socket: Socket, signal: AbortSignal): Promise<Http1Response> {
  return new Promise((resolve, reject) => {
    const answer = new Answer(request);
    const abort = (): void => void socket.destroy();
    let over = false;
    const end = (): void => {
      over = true;
      signal.removeEventListener("abort", abort);
      socket.destroy();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      end();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const settle = (response: Http1Response | null): void => {
      if (response === null || over) return;
      end();
      resolve(response);
    };
    socket.on("data", (chunk) => {
      if (over) return;
      try {
        settle(answer.take(chunk));
      } catch (error) {
        fail(error);
      }
    });
    socket.on("end", () => settle(answer.close()));
    socket.on("error", fail);
    // The error is only made when it is needed, as its stack is expensive and every exchange ends with a close.
    socket.on("close", () => void (over || fail(closedEarly())));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) return abort();
    socket.write(textOf(request), "latin1");
  });
}

/** The bytes of each request, as a check sends the same one every time. */
const texts = new WeakMap<Http1Request, string>();

function textOf(request: Http1Request): string {
  const known = texts.get(request);
  if (known !== undefined) return known;
  const { method, path, headers } = request;
  const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
  texts.set(request, text);
  return text;
}

function closedEarly(): Error {
  return Object.assign(new Error("the connection was closed before an answer"), { code: "ECONNRESET" });
}

/** The part of an answer that has come so far. */
class Answer {
  readonly #request: Http1Request;
  #pending: Buffer = Buffer.alloc(0);
  #interim = 0;
  #final: { readonly status: number; readonly body: BodyReader | null } | null = null;

  constructor(request: Http1Request) {
    this.#request = request;
  }

  /** Takes what has come. @returns the answer once there is enough of it. @throws InvalidResponse */
  take(chunk: Buffer): Http1Response | null {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#final === null) {
      const head = readResponseHead(this.#pending);
      if (head.state === "incomplete") return null;
      if (head.state === "invalid") throw new InvalidResponse(head.reason);
      this.#pending = this.#pending.subarray(head.bodyAt);
      if (head.status === 101) throw new InvalidResponse("it switches protocols (101), which nobody asked for");
      if (head.status >= 100 && head.status < 200) {
        if (++this.#interim > INTERIM_MAX)
          throw new InvalidResponse(`it sends more than ${INTERIM_MAX} interim answers`);
        continue;
      }
      const { method, bodyBytesMax } = this.#request;
      const isEmpty = method === "HEAD" || head.status === 204 || head.status === 304;
      const body = isEmpty ? null : createBodyReader(head.framing, bodyBytesMax ?? 0);
      this.#final = { status: head.status, body };
    }
    const { body } = this.#final;
    try {
      body?.take(this.#pending);
    } catch (error) {
      throw new InvalidResponse(error instanceof Error ? error.message : String(error));
    }
    this.#pending = Buffer.alloc(0);
    const { bodyBytesMax } = this.#request;
    const isEnough = bodyBytesMax === null || body === null || body.complete || body.start.length >= bodyBytesMax;
    return isEnough ? this.#response() : null;
  }

  /** Nothing more will come. */
  close(): Http1Response | null {
    return this.#final === null ? null : this.#response();
  }

  #response(): Http1Response | null {
    if (this.#final === null) return null;
    const { status, body } = this.#final;
    return { status, body: this.#request.bodyBytesMax === null ? null : (body?.start ?? Buffer.alloc(0)) };
  }
}
