import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createNetServer, type Socket } from "node:net";

/** An instance that answers with what it was asked. */
export interface Echo {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one on a port of its own. @param respond gives the headers of an answer. */
export async function startEcho(
  name: string,
  respond?: (req: IncomingMessage) => Record<string, string | string[]>,
): Promise<Echo> {
  const server: Server = createServer((req, res) => {
    req.resume();
    req.on("end", () => {
      const headers = { "x-inst": name, ...respond?.(req) };
      res.writeHead("location" in headers ? 302 : 200, headers);
      res.end(JSON.stringify({ name, url: req.url, headers: req.headers }));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An instance that takes requests and never answers, as a frozen process does. */
export interface Silent {
  readonly url: string;
  /** How many have come. */
  requests(): number;
  /** Breaks off every connection, as the end of a process does. */
  die(): void;
  close(): void;
}

/** Starts one on a port of its own. */
export async function startSilent(): Promise<Silent> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", () => void requests++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    die() {
      for (const socket of sockets) socket.destroy();
    },
    close: () => void server.close(),
  };
}
