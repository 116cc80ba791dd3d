import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import rhea from "rhea";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { Served } from "../wire/testing/served.ts";
import type { Peers } from "../wire/listener.ts";
import { Sites } from "./sites.ts";
import { openWeb, type WebConfig, type WebPort } from "./web-port.ts";

let folder: string;
let served: Served;
let web: WebPort;
let ca: string;
const peers: Peers = new Set();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "router-web-"));
  for (const name of ["services", "library", "data", "barker/web/parts"])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, "library/datawire.js"), "export {};");
  served = await Served.start();
  web = await open();
  ca = await readFile(join(folder, "data/ca.pem"), "utf8");
});
afterAll(async () => {
  await web.close();
  await served.close();
  await rm(folder, { recursive: true });
});

function open(config: Partial<WebConfig> = {}): Promise<WebPort> {
  const pages = { sites: new Sites(join(folder, "services"), () => now), library: async () => join(folder, "library") };
  return openWeb(
    {
      listen: { host: "127.0.0.1", port: 0 },
      host: "vm101",
      origins: ["https://www.example.com"],
      connectionsMax: 100,
      messageBytesMax: 70_000,
      tls: null,
      dataDir: join(folder, "data"),
      ...config,
    },
    { peer: served.deps, peers, pages },
  );
}
let now = 0;

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function get(
  path: string,
  {
    secure = true,
    method = "GET",
    headers = {},
  }: { secure?: boolean; method?: string; headers?: Record<string, string> } = {},
): Promise<Got> {
  const { port } = web.address;
  const host = `localhost:${port}`;
  const options = { host: "127.0.0.1", servername: "localhost", port, path, method, ca, headers: { host, ...headers } };
  return new Promise((resolve, reject) => {
    const asked = (secure ? secureRequest : plainRequest)(options, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (part: string) => (text += part));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    asked.on("error", reject).end();
  });
}

function dial(path: string, options: ClientOptions = {}, protocols: string[] = ["amqp"], scheme = "wss"): WebSocket {
  const socket = new WebSocket(`${scheme}://localhost:${web.address.port}${path}`, protocols, { ca, ...options });
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  return socket;
}

/** A connection of rhea over a WebSocket. */
async function openAmqp(id: string, url = `wss://localhost:${web.address.port}/`) {
  const made: WebSocket[] = [];
  const container = rhea.create_container({ id });
  const factory = container.websocket_connect(
    class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { ca });
        made.push(this);
      }
    } as unknown as typeof WebSocket,
  );
  const connection = container.connect({
    connection_details: factory(url, "amqp", {}),
    reconnect: false,
  } as unknown as rhea.ConnectionOptions);
  onTestFinished(() => connection.close());
  await once(connection, "connection_open");
  return { connection, socket: made[0]! };
}

/** The status with which a WebSocket is refused, or 101. */
async function statusOf(socket: WebSocket): Promise<number> {
  return Promise.race([
    once(socket, "open").then(() => 101),
    once(socket, "unexpected-response").then(([, res]) => (res as { statusCode: number }).statusCode),
  ]);
}

test.each([
  ["/", "wss"],
  ["/any/path?at=all", "wss"],
  ["/", "ws"],
])("openWeb() takes AMQP at %s over %s", async (path, scheme) => {
  const id = `client${path}${scheme}`;
  const { connection } = await openAmqp(id, `${scheme}://localhost:${web.address.port}${path}`);
  const address = `queue-of-${id.replaceAll(/\W/g, "-")}`;
  const sender = connection.open_sender(address);
  await once(sender, "sendable");
  sender.send({ body: "x".repeat(200_000) });
  await once(sender, "accepted");
  const [{ message }] = (await once(connection.open_receiver(address), "message")) as [rhea.EventContext];
  expect(String(message?.body)).toHaveLength(200_000);
});

test.each([
  ["https://www.example.com", 101],
  ["own", 101],
  ["https://evil.example.com", 403],
  ["http://www.example.com", 403],
  ["null", 403],
])("openWeb() answers a WebSocket with the Origin %s by %i", async (origin, status) => {
  const own = `https://localhost:${web.address.port}`;
  expect(await statusOf(dial("/", { headers: { origin: origin === "own" ? own : origin } }))).toBe(status);
  expect(await statusOf(dial("/", { headers: { origin: origin === "own" ? own : origin } }, ["amqp"], "ws"))).toBe(
    status,
  );
});

test("openWeb() gives the library to pages from where they may connect, and to no others", async () => {
  const from = async (origin: string): Promise<unknown[]> => {
    const { status, headers } = await get("/datawire.js", { headers: { origin } });
    return [status, headers["access-control-allow-origin"]];
  };
  expect(await from("https://www.example.com")).toEqual([200, "https://www.example.com"]);
  expect(await from("https://evil.example.com")).toEqual([403, undefined]);
  expect((await get("/datawire.js")).headers["access-control-allow-origin"]).toBeUndefined();
});

test("openWeb() refuses a host that is not its own, as pages have that point their name here", async () => {
  expect((await get("/", { headers: { host: "evil.example.com" } })).status).toBe(403);
  expect((await get("/", { secure: false, headers: { host: "evil.example.com" } })).status).toBe(403);
});

test("openWeb() wants the subprotocol amqp", async () => {
  expect(await statusOf(dial("/", {}, []))).toBe(400);
  expect(await statusOf(dial("/", {}, ["mqtt"]))).toBe(400);
  expect(await statusOf(dial("/", {}, ["mqtt", "amqp"]))).toBe(101);
});

test("openWeb() leads from plain HTTP to the same place over TLS", async () => {
  const { status, headers } = await get("/barker/?a=1", { secure: false });
  expect([status, headers.location]).toEqual([307, `https://localhost:${web.address.port}/barker/?a=1`]);
});

test("openWeb() keeps the authority that it made once, and its key to itself", async () => {
  const again = await open();
  await again.close();
  expect(await readFile(join(folder, "data/ca.pem"), "utf8")).toBe(ca);
  expect((await stat(join(folder, "data/ca.key"))).mode & 0o777).toBe(0o600);
});

test("openWeb() shows the pages of services, and the only one at /", async () => {
  const list = await get("/");
  expect([list.status, list.text]).toEqual([200, expect.stringContaining("No service has a page yet")]);
  await writeFile(join(folder, "barker/barker.yaml"), "service: //barker\nprotocol: amqp\n");
  await writeFile(join(folder, "barker/web/index.html"), "<h1>Barker</h1>");
  await writeFile(join(folder, "barker/web/parts/a.css"), "h1{}");
  await writeFile(join(folder, "barker/secret"), "hunter2");
  await symlink(join(folder, "barker/secret"), join(folder, "barker/web/secret.txt"));
  await symlink(join(folder, "barker/barker.yaml"), join(folder, "services/barker.yaml"));
  now += 1_000;
  for (const path of ["/", "/barker/", "/barker/index.html"]) expect((await get(path)).text).toBe("<h1>Barker</h1>");
  expect(await get("/barker")).toMatchObject({ status: 302, headers: { location: "/barker/" } });
  const style = await get("/barker/parts/a.css");
  expect([style.text, style.headers["content-type"]]).toEqual(["h1{}", "text/css; charset=utf-8"]);
  expect((await get("/parts/a.css")).text).toBe("h1{}");
  expect(
    (await get("/barker/", { headers: { "if-none-match": String((await get("/barker/")).headers.etag) } })).status,
  ).toBe(304);
  for (const path of [
    "/barker/secret.txt",
    "/barker/../secret",
    "/barker/%2e%2e/secret",
    "/barker/..%2fsecret",
    "/barker/%00",
    "/%",
    "/none/",
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  expect((await get("/barker/", { method: "POST" })).status).toBe(405);

  await writeFile(join(folder, "services/two.yaml"), "- { service: //two, port: 1 }\n");
  await mkdir(join(folder, "services/web"));
  await writeFile(join(folder, "services/web/index.html"), "two");
  now += 1_000;
  const both = (await get("/")).text;
  expect([...both.matchAll(/href="([^"]+)\/"/g)].map(([, name]) => name)).toEqual(["barker", "two"]);
  expect((await get("/two/")).text).toBe("two");
  expect((await get("/datawire.js")).headers["content-type"]).toContain("text/javascript");
});

test("openWeb() cuts whoever sends more than 12 kB before AMQP is open, in whatever frames", async () => {
  for (const bytes of [Buffer.from("AMQP\0\x01\0\0"), Buffer.alloc(20_000)]) {
    const socket = dial("/");
    await once(socket, "open");
    socket.send(bytes, { fin: false });
    socket.send(Buffer.alloc(15_000), { fin: false });
    await once(socket, "close");
  }
});

test.each([
  ["text", 1003, (socket: WebSocket) => socket.send("AMQP")],
  ["no AMQP", 1005, (socket: WebSocket) => socket.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"))],
])("openWeb() closes a WebSocket with %s", async (_, expected, say) => {
  const socket = dial("/");
  await once(socket, "open");
  say(socket);
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(expected);
});

test("openWeb() closes a WebSocket with a message beyond the bound, and names that", async () => {
  const { connection, socket } = await openAmqp("large");
  connection.on("disconnected", () => {});
  socket.send(Buffer.alloc(70_001));
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([1009, "a message may have 70000 bytes at the most (limits.websocket)"]);
});

/** Connections of the tests before have gone by then. */
const connections = (count: number) => expect.poll(() => peers.size).toBe(count);

test("openWeb() cuts whoever pings and reads no answer", async () => {
  await connections(0);
  const { connection, socket } = await openAmqp("pinging");
  connection.on("disconnected", () => {});
  const { _socket: raw } = socket as unknown as { _socket: Socket };
  raw.removeAllListeners("data").pause();
  // FIN, ping, masked with zeros, 125 bytes.
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)]);
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
  raw.on("error", () => {});
  while (!raw.destroyed) await Promise.race([once(raw, "close"), new Promise((resolve) => raw.write(pings, resolve))]);
  await connections(0);
});

test("openWeb() lets go of a connection whose WebSocket is gone", async () => {
  await connections(0);
  const { connection, socket } = await openAmqp("leaving");
  expect(peers.size).toBe(1);
  socket.terminate();
  connection.on("disconnected", () => {});
  await connections(0);
});

test("openWeb() refuses connections beyond those that all ports may have together", async () => {
  const small = await open({ connectionsMax: 0, listen: { host: "127.0.0.1", port: 0 } });
  onTestFinished(() => small.close());
  const socket = new WebSocket(`wss://localhost:${small.address.port}/`, ["amqp"], { ca });
  socket.on("error", () => {});
  expect(await statusOf(socket)).toBe(503);
});
