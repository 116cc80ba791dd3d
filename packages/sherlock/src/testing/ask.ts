import { once } from "node:events";
import { type Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";

/** What came back of a request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** What the instance saw; null for a page of HAProxy's own. */
  readonly seen: { readonly name: string; readonly url: string; readonly headers: Record<string, string> } | null;
}

/** Asks through HAProxy, with the path as it is written: over a connection of its own, or over those of an agent. */
export function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  agent: Agent | false = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, headers, agent }, (res) => {
      let body = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => (body += chunk));
      res.on("end", () => {
        const seen = "x-inst" in res.headers ? (JSON.parse(body) as Answer["seen"]) : null;
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body, seen });
      });
    });
    req.on("error", reject);
    req.end();
  });
}

/** A connection that is kept open, with one request after the other. */
export interface Connection {
  /** What the instance saw; null for an answer of HAProxy's own. */
  ask(path: string, headers?: Record<string, string>): Promise<Answer["seen"]>;
  close(): void;
}

/** Opens one to HAProxy. */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return {
    async ask(path, headers = {}) {
      const lines = Object.entries({ host: "here", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      let heard = "";
      while (!heard.endsWith("\r\n0\r\n\r\n") && !/\n\n$|\}\n?$/.test(heard)) {
        const [data] = (await once(socket, "data")) as [Buffer];
        heard += String(data);
      }
      const body = /\{.*\}/.exec(heard.slice(heard.indexOf("\r\n\r\n")))?.[0];
      return body === undefined ? null : (JSON.parse(body) as Answer["seen"]);
    },
    close: () => void socket.destroy(),
  };
}
