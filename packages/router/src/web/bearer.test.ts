import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePattern, type RouterToken } from "@datawire/protocol";
import rhea from "rhea";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createAccess } from "../access/access.ts";
import { TokenBook } from "../access/token-book.ts";
import type { Peers } from "../wire/listener.ts";
import { RheaSender, Served } from "../wire/testing/served.ts";
import { Sites } from "./sites.ts";
import { openWeb, type WebPort } from "./web-port.ts";

const SECRET = "a".repeat(43);
const TOKEN: RouterToken = {
  id: "aaaaaaaa",
  hash: createHash("sha256").update(SECRET).digest("base64url"),
  scram: null,
  role: "client",
  tenant: null,
  send: ["orders/**"],
  listen: [],
  expiresMs: null,
};
const BOB = { name: "bob", password: "secret", send: [parsePattern("**")], listen: [] };

async function start(): Promise<{ web: WebPort; book: TokenBook; peers: Peers }> {
  const folder = await mkdtemp(join(tmpdir(), "router-bearer-"));
  const book = new TokenBook(() => 0);
  book.set([TOKEN]);
  const served = await Served.start([], createAccess({ users: [BOB], tokens: book }));
  const peers: Peers = new Set();
  const bounds = { connectionsMax: 10, messageBytesMax: 70_000 };
  const web = await openWeb(
    { ...bounds, listen: { host: "127.0.0.1", port: 0 }, host: "vm101", origins: [], tls: null, dataDir: folder },
    { peer: served.deps, peers, pages: { sites: new Sites(null, () => 0), library: async () => folder } },
  );
  onTestFinished(async () => {
    await web.close();
    await served.close();
    await rm(folder, { recursive: true });
  });
  return { web, book, peers };
}

function connect(web: WebPort, authorization: string | null, options: object = {}): rhea.Connection {
  const headers = authorization === null ? {} : { authorization };
  const container = rhea.create_container({ id: "client" });
  const factory = container.websocket_connect(
    class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    } as unknown as typeof WebSocket,
  );
  const details = factory(`ws://127.0.0.1:${web.address.port}/`, "amqp", {});
  const connection = container.connect({
    connection_details: details,
    reconnect: false,
    ...options,
  } as unknown as rhea.ConnectionOptions);
  for (const event of ["disconnected", "connection_error"]) connection.on(event, () => {});
  onTestFinished(() => connection.close());
  return connection;
}

test("a token in the request for a WebSocket says who it is, with and without SASL, until it is revoked", async () => {
  const { web, book, peers } = await start();
  const bare = connect(web, `Bearer dw1_${SECRET}`);
  const anonymous = connect(web, `bearer dw1_${SECRET}`, { username: "anonymous" });
  await Promise.all([once(bare, "connection_open"), once(anonymous, "connection_open")]);
  for (const connection of [bare, anonymous]) {
    expect(await (await RheaSender.open(connection, "orders/eu")).send({ body: "x" })).toBe("accepted");
    await expect(RheaSender.open(connection, "invoices")).rejects.toThrow("amqp:unauthorized-access");
  }
  expect([...peers].flatMap((peer) => peer.links("r").map(({ user }) => user))).toEqual(["aaaaaaaa", "aaaaaaaa"]);
  book.set([]);
  const ended = Promise.all([bare, anonymous].map((one) => once(one, "connection_error")));
  for (const peer of peers) peer.review();
  await ended;
  expect(bare.error).toMatchObject({ condition: "amqp:unauthorized-access" });
});

test.each(["Bearer dw1_wrong", "Bearer", "Basic Ym9iOnNlY3JldA==", ""])(
  "a request for a WebSocket with Authorization %j is 401, and told no more",
  async (authorization) => {
    const { web } = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${web.address.port}/`, ["amqp"], { headers: { authorization } });
    socket.on("error", () => {});
    const [, res] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number; headers: object }];
    expect([res.statusCode, res.headers]).toEqual([401, expect.objectContaining({ "www-authenticate": "Bearer" })]);
    socket.terminate();
  },
);

test("without that header SASL says who it is, as for pages", async () => {
  const { web } = await start();
  const bob = connect(web, null, { username: "bob", password: "secret" });
  await once(bob, "connection_open");
  expect(await (await RheaSender.open(bob, "anything")).send({ body: "x" })).toBe("accepted");
  const nobody = connect(web, null);
  await once(nobody, "disconnected");
  expect(nobody.is_open()).toBe(false);
});
