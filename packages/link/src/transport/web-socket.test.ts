import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FRAME_BYTES_MAX } from "@datawire/protocol";
import { freePorts } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { ConnectTarget } from "./connection.ts";
import { connectWebSocket } from "./web-socket.ts";

async function serve(onConnection: (socket: WebSocket) => void): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/v1/link" });
  server.on("connection", onConnection);
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Connects and gathers what happens; resolves with it when the connection has closed. */
function connect(port: number, rest: Partial<ConnectTarget> = {}, onEvent: (event: string) => void = () => {}) {
  const events: string[] = [];
  const write = (event: string): void => {
    events.push(event);
    onEvent(event);
  };
  let connection: ReturnType<typeof connectWebSocket> | undefined;
  const closed = new Promise<string[]>((resolve) => {
    connection = connectWebSocket(
      { replica: { host: "127.0.0.1", port, tls: null }, token: null, tls: null, ...rest },
      {
        opened: () => write("opened"),
        text: (data) => write(`text ${data}`),
        alive: () => write("alive"),
        closed(reason, refused) {
          write(`closed ${reason}${refused ? " (refused)" : ""}`);
          resolve(events);
        },
      },
    );
  });
  onTestFinished(() => connection?.terminate());
  return { closed, events, connection: connection as ReturnType<typeof connectWebSocket> };
}

test("connectWebSocket() brings text and pings, and closes cleanly", async () => {
  const port = await serve((socket) => {
    socket.send("one");
    socket.ping();
    socket.on("message", (data) => socket.send(`got ${(data as Buffer).toString()}`));
  });
  const link = connect(port, {}, (event) => {
    if (event === "alive") link.connection.send("two");
    if (event === "text got two") link.connection.close();
  });
  expect(await link.closed).toEqual([
    "opened",
    "text one",
    "alive",
    "text got two",
    "closed the directory closed the link (1000)",
  ]);
});

test("connectWebSocket() sends its token in a header, not in the URL", async () => {
  const seen = new Promise<string>((resolve) => {
    const server = createHttpServer();
    server.on("upgrade", (request, socket) => {
      resolve(`${request.url} ${request.headers.authorization}`);
      socket.destroy();
    });
    server.listen(0, "127.0.0.1", () => connect((server.address() as AddressInfo).port, { token: "secret" }));
    onTestFinished(() => void server.close());
  });
  expect(await seen).toBe("/v1/link Bearer secret");
});

test("connectWebSocket() says that nobody listens", async () => {
  const [port = 0] = await freePorts(1);
  expect(await connect(port).closed).toEqual(["closed connection refused: nothing listens there"]);
});

test("connectWebSocket() says that the connection was killed", async () => {
  const port = await serve((socket) => socket.terminate());
  expect((await connect(port).closed).at(-1)).toBe("closed the connection broke");
});

test.each([
  ["a reason", (socket: WebSocket) => socket.close(1001, "shutting down"), "closed shutting down"],
  [
    "a binary frame",
    (socket: WebSocket) => socket.send(Buffer.from([1])),
    "closed it sent a binary frame, wanted text",
  ],
  [
    "a frame beyond the limit",
    (socket: WebSocket) => socket.send("x".repeat(FRAME_BYTES_MAX + 1)),
    "closed Max payload size exceeded",
  ],
])("connectWebSocket() ends at %s", async (_, act, expected) => {
  const port = await serve(act);
  expect((await connect(port).closed).at(-1)).toBe(expected);
});

test.each([
  [401, '{"error":{"code":"unauthenticated","message":"a token is wanted"}}', "closed a token is wanted (refused)"],
  [404, "<html>", "closed it answered with HTTP 404, wanted a WebSocket: is this a directory?"],
  [503, "x".repeat(100_000), "closed it answered with HTTP 503, wanted a WebSocket: is this a directory?"],
])("connectWebSocket() explains an answer of HTTP %i", async (status, body, expected) => {
  const server = createHttpServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  expect(await connect((server.address() as AddressInfo).port).closed).toEqual([expected]);
});

test("connectWebSocket() is silent after terminate()", async () => {
  const port = await serve(() => {});
  const link = connect(port, {}, () => link.connection.terminate());
  await expect.poll(() => link.events).toEqual(["opened"]);
});

test("connectWebSocket() closes with what is wrong when its certificates are of no use", async () => {
  const tls = { ca: "no PEM", cert: "nor this", key: "-----BEGIN" };
  const { events, closed } = connect(1, { tls, replica: { host: "127.0.0.1", port: 1, tls: true } });
  expect(events).toEqual([]);
  expect(await closed).toEqual([
    expect.stringMatching(/^closed Cannot use what is in tls.ca, tls.cert, tls.key: .*PEM$/),
  ]);
});
