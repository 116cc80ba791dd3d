import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Socket, socketOf } from "./socket.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const end of open.splice(0)) end();
});

/** A socket, and the client at its other end with what that has read. */
async function connected() {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const { promise: socket, resolve } = Promise.withResolvers<Socket>();
  http.on("upgrade", (req, stream, head) =>
    server.handleUpgrade(req, stream, head, (webSocket) => resolve(socketOf(webSocket, stream))),
  );
  await new Promise<void>((listening) => void http.listen(0, "127.0.0.1", listening));
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`);
  open.push(() => {
    client.terminate();
    http.close();
  });
  const read: string[] = [];
  client.on("message", (data: Buffer, isBinary) => read.push(`${isBinary ? "binary " : ""}${data.toString("utf8")}`));
  client.on("ping", (data: Buffer) => read.push(`ping ${data.toString("utf8")}`));
  const closed = once(client, "close");
  await once(client, "open");
  return { socket: await socket, closed, read };
}

test("what is sent arrives as it was, in order, whatever its length and whoever waits for its sending", async () => {
  const { socket, closed, read } = await connected();
  const sent: string[] = [];
  for (const length of [0, 1, 125, 126, 127, 65_534, 65_535, 65_536, 200_000]) {
    for (const text of ["x".repeat(length), "é".repeat(length)]) {
      socket.send(text);
      socket.send(Buffer.from(text));
      const left = Promise.withResolvers<void>();
      socket.send(text, left.resolve);
      socket.ping();
      sent.push(text, text, text, "ping ");
      await left.promise;
    }
  }
  socket.close(1000, "done");
  await closed;
  expect(read).toEqual(sent);
});

test("many that are sent the same read the same, and one that is closed reads no more", async () => {
  const all = [await connected(), await connected(), await connected()] as const;
  const [first] = all;
  first.socket.close(1000, "before the others");
  for (const frame of ["one", Buffer.from("two"), "one", "three"]) for (const { socket } of all) socket.send(frame);
  for (const { socket } of all.slice(1)) socket.close(1000, "done");
  await Promise.all(all.map(({ closed }) => closed));
  expect(all.map(({ read }) => read)).toEqual([[], ["one", "two", "one", "three"], ["one", "two", "one", "three"]]);
});
