import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Entity, catalogOf, instance, routes, service } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { startEcho } from "../testing/echo.ts";
import { startMachine } from "../testing/machine.ts";
import { freePort } from "../testing/places.ts";
import { COOKIE, cookieOf, openShop, SESSIONS, type Shop } from "../testing/shop.ts";

/** What becomes of sessions that live in the memory of one instance, through a real HAProxy. */

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

afterAll(() => shop?.close());

beforeEach(() => shop.become(shop.service(), ...shop.three()));

test("an instance that drains keeps its sessions and gets no new ones, also when it is the last", async () => {
  const cookies = { a: await shop.sessionAt("a"), b: await shop.sessionAt("b") };
  const drained = (state: "draining" | "live"): Entity[] =>
    shop.three().map((entity, i) => (i === 0 ? instance("shop", "a", { url: shop.a.url, state }) : entity));
  const { length } = shop.machine.reloads;
  await shop.become(shop.service(), ...drained("draining"));
  expect([await shop.answering(cookies.a), await shop.answering(cookies.b)]).toEqual([["a"], ["b"]]);
  expect(await shop.answering("")).toEqual(["b", "c"]);
  await shop.become(shop.service(), ...shop.three({ state: "draining" }));
  expect([await shop.answering(cookies.a), await shop.answering(cookies.b)]).toEqual([["a"], ["b"]]);
  expect((await shop.get()).body).toContain("a is draining, b is draining, c is draining");
  await shop.become(shop.service(), ...shop.three());
  expect(await shop.answering("")).toEqual(["a", "b", "c"]);
  await shop.become(shop.service(), ...shop.three().slice(1));
  expect(await shop.answering(cookies.a)).toEqual(["b", "c"]);
  expect(shop.machine.reloads.length).toBe(length);
});

test("an instance that comes back under its name has its sessions, wherever it is then", async () => {
  const cookie = await shop.sessionAt("a");
  await shop.become(shop.service(), ...shop.three().slice(1));
  expect(await shop.answering(cookie)).toEqual(["b", "c"]);
  await shop.become(
    shop.service(),
    ...shop.three().slice(1),
    instance("shop", "a", { url: `${shop.c.url}/base`, version: "1.7" }),
  );
  expect(await shop.answering(cookie)).toEqual(["c"]);
  expect((await shop.get("/shop/x", cookie)).seen?.url).toBe("/base/x");
});

test("a canary gets its share of the new sessions, keeps them, and loses them with its share", async () => {
  const v2 = instance("shop", "c", { url: shop.c.url, version: "2", order: 2 });
  const at = (share: number): Entity[] => [
    shop.service(),
    ...shop.three().slice(0, 2),
    v2,
    routes("shop", { "//shop(2)": { share } }),
  ];
  await shop.become(...at(1_000));
  let news = 0;
  for (let i = 0; i < 400; i++) if ((await shop.get()).seen?.name === "c") news++;
  expect(news).toBeGreaterThan(10);
  expect(news).toBeLessThan(80);
  const [old, canary] = [await shop.sessionAt("a"), await shop.sessionAt("c")];
  expect([await shop.answering(old), await shop.answering(canary)]).toEqual([["a"], ["c"]]);
  const { length } = shop.machine.reloads;
  await shop.become(...at(5_000));
  expect([await shop.answering(old), await shop.answering(canary)]).toEqual([["a"], ["c"]]);
  await shop.become(...at(0));
  expect([await shop.answering(old), await shop.answering(canary)]).toEqual([["a"], ["a", "b"]]);
  const moved = await shop.get("/shop/", canary);
  expect(moved.headers["set-cookie"]).toEqual([expect.stringMatching(COOKIE)]);
  await shop.become(...at(10_000));
  expect([await shop.answering(old), await shop.answering(canary)]).toEqual([["c"], ["c"]]);
  // Promoted: what had a share of the primary is the primary, and what is held has none.
  await shop.become(shop.service({ primary: "2" }), ...shop.three().slice(0, 2), v2);
  expect([await shop.answering(old), await shop.answering(canary)]).toEqual([["c"], ["c"]]);
  expect(shop.machine.reloads.length).toBe(length);
});

test("a condition goes before the cookie, and the sessions of its target stay in it", async () => {
  const entities = (share: number): Entity[] => [
    shop.service(),
    ...shop.three().slice(0, 1),
    instance("shop", "b", { url: shop.b.url, version: "2", order: 1 }),
    instance("shop", "c", { url: shop.c.url, version: "2", order: 2 }),
    routes("shop", { "//shop(2)": { share, when: "path:/beta" } }, { sticky: "cookie:user" }),
  ];
  await shop.become(...entities(0));
  const old = await shop.sessionAt("a");
  expect(await shop.answering(old)).toEqual(["a"]);
  expect(await shop.answering(old, "/shop/beta")).toEqual(["b", "c"]);
  const beta = await shop.sessionAt("b", "/shop/beta");
  expect(await shop.answering(beta, "/shop/beta")).toEqual(["b"]);
  expect(await shop.answering(beta)).toEqual(["a"]);
  // With a share the same session is good for all paths; and what is drawn by a user stays where its session is.
  await shop.become(...entities(5_000));
  expect(await shop.answering(beta)).toEqual(["b"]);
  for (let user = 0; user < 8; user++) expect(await shop.answering(`${beta}; user=${user}`)).toEqual(["b"]);
});

test("a share of another service is kept by the cookie of the one that was asked for, or else by its own", async () => {
  const entities = (own: string, theirs: string): Entity[] => [
    service("shop", { settings: { balance: own } }),
    instance("shop", "a", { url: shop.a.url }),
    service("cart", { settings: { balance: theirs } }),
    instance("cart", "b", { url: shop.b.url, order: 1 }),
    instance("cart", "c", { url: shop.c.url, order: 2 }),
    routes("shop", { "//cart": { share: 5_000, reading: "service" } }),
  ];
  for (const theirs of ["round-robin", "cookie:CART"]) {
    await shop.become(...entities("cookie:SERVERID", theirs));
    const [shops, carts] = [await shop.sessionAt("a"), await shop.sessionAt("b")];
    expect(carts).toMatch(/^SERVERID=/);
    expect([await shop.answering(shops), await shop.answering(carts)]).toEqual([["a"], ["b"]]);
  }
  await shop.become(...entities("round-robin", "cookie:CART"));
  const carts = await shop.sessionAt("b");
  expect(carts).toMatch(/^CART=/);
  // Half of the requests are another service's, as they were; those that are not find the session again.
  expect(await shop.answering(carts)).toEqual(["a", "b"]);
});

test("the default URL keeps the sessions of those that were sent there", async () => {
  const url = `${shop.c.url}/old`;
  await shop.become(
    service("shop", { settings: { ...SESSIONS, defaultUrl: url } }),
    instance("shop", "a", { url: shop.a.url }),
    routes("shop", { "//shop": { share: 5_000 } }, { caller: "monolith" }),
  );
  const [own, old] = [await shop.sessionAt("a"), await shop.sessionAt("c")];
  expect([await shop.answering(own), await shop.answering(old)]).toEqual([["a"], ["c"]]);
});

test("instances of HTTP/2 and streams keep their sessions too", async () => {
  const sockets: { close(): unknown }[] = [];
  const start = (name: string): Promise<number> =>
    new Promise((resolve) => {
      const server = createHttp2Server((req, res) => {
        res.setHeader("x-inst", name);
        res.end(JSON.stringify({ name, url: req.url, headers: { ...req.headers } }));
      });
      sockets.push(server);
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  const [one, two] = [await start("one"), await start("two")];
  await shop.become(
    shop.service({ protocol: "h2" }),
    instance("shop", "a", { protocol: "h2", url: `http://127.0.0.1:${one}` }),
    instance("shop", "b", { protocol: "h2", url: `http://127.0.0.1:${two}`, order: 1 }),
  );
  const cookie = await shop.sessionAt("two");
  expect(await shop.answering(`${cookie}; x=1`)).toEqual(["two"]);
  expect((await shop.get("/shop/", `${cookie}; x=1`)).seen?.headers["cookie"]).toBe("x=1");
  for (const socket of sockets) socket.close();
});

test("a WebSocket is opened where its session is", async () => {
  const cookie = await shop.sessionAt("b");
  const socket = connect(shop.machine.port, "127.0.0.1");
  socket.write(
    `GET /shop/ HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const said = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
  socket.destroy();
  expect(said).toMatch(/x-inst: b/i);
});

test("a request whose instance has died is answered elsewhere, with a cookie of that one", async () => {
  const dying = await startEcho("dying");
  await shop.become(shop.service(), ...shop.three().slice(0, 1), instance("shop", "d", { url: dying.url, order: 3 }));
  const cookie = await shop.sessionAt("dying");
  await dying.close();
  const moved = await shop.get("/shop/", cookie);
  expect([moved.seen?.name, moved.headers["set-cookie"]]).toEqual(["a", [expect.stringMatching(COOKIE)]]);
  expect(await shop.answering(cookieOf(moved) as string)).toEqual(["a"]);
  // The same where the whole group has died, and another one of the service takes its requests.
  const alone = await startEcho("alone");
  await shop.become(
    shop.service(),
    instance("shop", "e", { url: alone.url, version: "2", order: 4 }),
    ...shop.three().slice(0, 1),
    routes("shop", { "//shop(2)": { share: 5_000 } }),
  );
  const other = await shop.sessionAt("alone");
  await alone.close();
  const away = await shop.get("/shop/", other);
  expect([away.seen?.name, away.headers["set-cookie"]]).toEqual(["a", [expect.stringMatching(COOKIE)]]);
  expect(await shop.answering(cookieOf(away) as string)).toEqual(["a"]);
});

test("what this machine sets for a service alone keeps sessions as well", async () => {
  const machine = await startMachine({
    table: catalogOf(service("shop"), ...shop.three()),
    runDir: join(shop.folder, "override"),
    port: await freePort(),
    settings: { overrides: new Map([["shop", SESSIONS]]) },
  });
  try {
    const first = await ask(machine.port, "/shop/");
    const cookie = cookieOf(first) as string;
    expect(first.headers["set-cookie"]).toEqual([expect.stringMatching(COOKIE)]);
    for (let i = 0; i < 6; i++)
      expect((await ask(machine.port, "/shop/", { cookie })).seen?.name).toBe(first.seen?.name);
  } finally {
    await machine.stop();
  }
});
