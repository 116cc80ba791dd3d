import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { DirectoryAddress } from "@datawire/protocol";
import { userAgent } from "@datawire/runtime";
import { type Proof, type Trust, trustOf } from "../credentials/tls.ts";
import { certificateProblem, explainConnectionError, secureOptions } from "./secure-socket.ts";

/** One request to a directory. */
export interface HttpRequest {
  readonly method: string;
  /** Begins with `/`; holds the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string | null;
}

/** What came of a request: an answer of any status, or why there is none. */
export type HttpAnswer =
  | { readonly state: "answered"; readonly status: number; readonly body: string }
  | {
      readonly state: "failed";
      readonly reason: string;
      /** Whether the server may have done what was asked. */
      readonly sent: boolean;
    };

/** How one request to one address is made; never rejects. */
export interface HttpExchange {
  request(directory: DirectoryAddress, request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const CONNECT_MS_MAX = 3_000;
const ANSWER_MS_MAX = 15_000;
const BODY_BYTES_MAX = 256 * 1024 * 1024;

/** Exchanges over node:http: a client library takes three times as long to load as `dw` needs for all else. */
export function createExchange(proof: Proof): HttpExchange {
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new Map<Trust["state"], HttpsAgent>();
  const agentOf = (trust: Trust): HttpAgent => {
    if (trust.state === "none") return plain;
    const agent = secure.get(trust.state) ?? secureAgent(trust, proof);
    secure.set(trust.state, agent);
    return agent;
  };

  const open = (directory: DirectoryAddress, { method, path, headers, body }: HttpRequest): ClientRequest => {
    const trust = trustOf(directory, proof);
    return (trust.state === "none" ? httpRequest : httpsRequest)({
      agent: agentOf(trust),
      host: directory.host.replace(/^\[(.*)\]$/, "$1"),
      port: directory.port,
      method,
      path,
      headers: {
        accept: "application/json",
        "user-agent": userAgent("datawire"),
        ...headers,
        ...(body === null
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  };

  return {
    async request(directory, request) {
      const problem = trustOf(directory, proof).state === "none" ? null : certificateProblem(proof.tls);
      if (problem !== null) return { state: "failed", reason: problem, sent: false };
      const exchange = open(directory, request);
      let sent = false;
      try {
        const response = await respond(exchange, request.body, () => (sent = true));
        return { state: "answered", status: response.statusCode ?? 0, body: await readBody(response) };
      } catch (error) {
        exchange.destroy();
        return { state: "failed", reason: explain(error), sent };
      }
    },
    async close() {
      plain.destroy();
      for (const agent of secure.values()) agent.destroy();
    },
  };
}

function secureAgent(trust: Exclude<Trust, { readonly state: "none" }>, { tls }: Proof): HttpsAgent {
  const { createConnection, ...options } = secureOptions(trust, tls);
  const agent = new HttpsAgent({ keepAlive: true, ...options });
  // The agent's own way to connect, which subclasses and this may replace.
  return createConnection === undefined ? agent : Object.assign(agent, { createConnection });
}

/** @param onConnected called when from now on the request may have reached the server. */
function respond(exchange: ClientRequest, body: string | null, onConnected: () => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => exchange.destroy(new Error(`no connection within ${CONNECT_MS_MAX / 1000} s`)),
      CONNECT_MS_MAX,
    );
    const connected = (): void => {
      clearTimeout(timer);
      onConnected();
    };
    exchange.once("socket", (socket) => {
      if (socket.connecting) socket.once("connect", connected);
      else connected();
    });
    exchange.once("response", resolve);
    exchange.on("error", reject);
    exchange.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the other side broke the connection"));
    });
    exchange.end(body ?? undefined);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`the answer is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString();
}

/** The system's words; where several addresses of one name were tried, those of the first. */
function explain(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (first instanceof Error && (first.name === "TimeoutError" || first.name === "AbortError")) {
    return `no answer within ${ANSWER_MS_MAX / 1000} s`;
  }
  return explainConnectionError(first);
}
