import { createServer, type Server } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { parseStat } from "../core/observe/statistics.ts";
import { catalogOf, change, type Entity, instance, service } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, requestOf } from "../testing/raw.ts";

/** A client that goes away takes its request with it, as where it is connected to the instance itself. */

let folder: string;
let machine: Machine;
let table: Catalog;
let server: Server;
/** What requests at the instance there are, and which of those have ended without their answer. */
const come = new Set<string>();
const left = new Set<string>();

beforeAll(async () => {
  folder = await temporaryFolder();
  server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    const path = req.url ?? "";
    if (path === "/") return void res.end("ok");
    if (path.startsWith("/stream")) {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: one\n\n");
    }
    come.add(path);
    res.on("close", () => left.add(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = urlOfServer();
  table = catalogOf(
    service("s"),
    instance("s", "a", { url }),
    // Its first group is dead.
    service("next"),
    instance("next", "dead", { url: `http://127.0.0.1:${await freePort()}` }),
    instance("next", "a", { url, version: "2", order: 1 }),
    service("full", { settings: { maxConnections: 1, queueTimeoutMs: 3_600_000 } }),
    instance("full", "a", { url }),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine?.stop();
  server.closeAllConnections();
  server.close();
  await removeFolder(folder);
});

const urlOfServer = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Resolves once the instance has a request for this path. */
const hasCome = (path: string) => expect.poll(() => [...come]).toContain(path);
const hasLeft = (path: string) => expect.poll(() => [...left]).toContain(path);

/** Asks over HTTP/1.1, and gives the connection, whose other end answers or not. */
async function ask1(path: string, on?: Socket): Promise<Socket> {
  const socket = on ?? connect({ port: machine.port, host: "127.0.0.1" });
  socket.on("error", () => {}).resume();
  socket.write(requestOf(`GET ${path} HTTP/1.1`, "Host: localhost", "Accept: text/event-stream"));
  return socket;
}

/** Asks over HTTP/2, each request by a connection of its own. */
async function ask2(path: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://127.0.0.1:${machine.port}`);
  session.on("error", () => {});
  const stream = session.request({ ":path": path, accept: "text/event-stream" });
  stream.on("error", () => {}).resume();
  stream.end();
  return session;
}

describe("a client that goes away", () => {
  test.each([
    ["s", "HTTP/1.1", ask1],
    ["s", "HTTP/2", ask2],
    ["next", "HTTP/1.1", ask1],
    ["next", "HTTP/2", ask2],
  ])("is noticed by the instance: of %s, %s", async (name, version, ask) => {
    for (const kind of ["stream", "thinking"]) {
      const path = `/${kind}/${name}/${version}`;
      const client = await ask(`/${name}${path}`);
      await hasCome(path);
      expect([...left]).not.toContain(path);
      client.destroy();
      await hasLeft(path);
    }
  });

  test("is noticed through a worker that a reload has replaced, too", async () => {
    const socket = await ask1("/s/");
    await once(socket, "data");
    const made: Entity[] = [service("based"), instance("based", "a", { url: `${urlOfServer()}/base` })];
    const before = machine.reloads.length;
    await machine.follow(table.apply(change(...made)));
    expect(machine.reloads.length).toBe(before + 1);
    await ask1("/s/stream/replaced", socket);
    await hasCome("/stream/replaced");
    socket.destroy();
    await hasLeft("/stream/replaced");
  });

  test("leaves the queue: the instance is not asked for it any more, and the next one has its place", async () => {
    const first = await ask1("/full/stream/first");
    await hasCome("/stream/first");
    const waiting = async (): Promise<number> => {
      const [header = [], ...rows] = (await machine.process.runtime.ask("show stat"))
        .split("\n")
        .map((line) => line.split(","));
      const [owner, row, queued] = [header.indexOf("# pxname"), header.indexOf("svname"), header.indexOf("qcur")];
      return rows
        .filter((cells) => cells[owner]?.startsWith("full") && cells[row] === "BACKEND")
        .reduce((sum, cells) => sum + Number(cells[queued]), 0);
    };
    const second = await ask1("/full/stream/second");
    await expect.poll(waiting).toBe(1);
    second.destroy();
    await expect.poll(waiting).toBe(0);
    const third = await ask1("/full/stream/third");
    await expect.poll(waiting).toBe(1);
    first.destroy();
    await hasCome("/stream/third");
    third.destroy();
    await hasLeft("/stream/third");
    expect([...come]).not.toContain("/stream/second");
  });

  test("is no fault of the instance", async () => {
    for (let i = 0; i < 20; i++) {
      const path = `/thinking/many/${i}`;
      const client = await ask1(`/s${path}`);
      await hasCome(path);
      client.destroy();
      await hasLeft(path);
    }
    const counts = parseStat(await machine.process.runtime.ask("show stat"));
    const own = counts.filter(({ backend }) => backend.startsWith("s:"));
    expect(own.map(({ down, unreached }) => ({ down, unreached }))).toEqual([{ down: null, unreached: 0 }]);
    expect(await exchange(machine.port, requestOf("GET /s/ HTTP/1.1", "Host: localhost"))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("that only ends its side is told what became of its request", async () => {
    const socket = connect({ port: machine.port, host: "127.0.0.1", allowHalfOpen: true });
    let heard = "";
    socket.on("data", (data) => (heard += String(data)));
    socket.end(requestOf("GET /s/thinking/half HTTP/1.1", "Host: localhost"));
    await once(socket, "end");
    socket.destroy();
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard).toContain("its client ended the connection before the answer");
  });
});
