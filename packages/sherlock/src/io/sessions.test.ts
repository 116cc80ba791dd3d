import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Table } from "@datawire/protocol";
import { type Entity, instance, routes, service, tableOf } from "../testing/entities.ts";
import {
  type Answer,
  ask,
  type Echo,
  freePort,
  type Machine,
  removeFolder,
  startEcho,
  startMachine,
  temporaryFolder,
} from "../testing/machine.ts";

/** What becomes of sessions that live in the memory of one instance, through a real HAProxy. */

const SESSIONS = { balance: "cookie:SERVERID" };
/** What Sherlock's own cookie looks like. */
const COOKIE = /^SERVERID=s\.[A-Za-z0-9_-]{22}; Path=\/shop; HttpOnly; SameSite=Lax$/;

let folder: string;
let machine: Machine;
let a: Echo;
let b: Echo;
let c: Echo;
const table = new Table();

beforeAll(async () => {
  folder = await temporaryFolder();
  const cookies = (url: string | undefined): string[] => new URL(url ?? "/", "http://x").searchParams.getAll("cookie");
  const start = (name: string): Promise<Echo> => startEcho(name, (req) => ({ "set-cookie": cookies(req.url) }));
  [a, b, c] = await Promise.all([start("a"), start("b"), start("c")]);
  machine = await startMachine({ table, runDir: join(folder, "run"), port: await freePort() });
});

afterAll(async () => {
  await machine?.stop();
  await Promise.all([a, b, c].map((echo) => echo?.close()));
  await removeFolder(folder);
});

beforeEach(() => become(shop(), ...three()));

const shop = (fields: Parameters<typeof service>[1] = {}): Entity => service("shop", { settings: SESSIONS, ...fields });

function three(fields: Parameters<typeof instance>[2] = {}): Entity[] {
  return [a, b, c].map((echo, order) => instance("shop", "abc"[order] as string, { url: echo.url, order, ...fields }));
}

async function become(...entities: readonly Entity[]): Promise<void> {
  await machine.follow(table.apply(table.changeTo(tableOf(...entities).snapshot())));
}

const get = (path = "/shop/", cookie?: string): Promise<Answer> =>
  ask(machine.port, path, cookie === undefined ? {} : { cookie });

/** The cookie that an answer sets, as a client sends it. */
function cookieOf(answer: Answer): string | undefined {
  return answer.headers["set-cookie"]?.at(-1)?.split(";")[0];
}

/** A session at that instance: its cookie. */
async function sessionAt(name: string, path = "/shop/"): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const answer = await get(path);
    if (answer.seen?.name === name) return cookieOf(answer) as string;
  }
  throw new Error(`Nothing of a hundred requests came to ${name}`);
}

/** Who answers so many requests of a session, each name once. */
async function answering(cookie: string, path = "/shop/"): Promise<string[]> {
  const names = new Set<string>();
  for (let i = 0; i < 8; i++) {
    const answer = await get(path, cookie);
    names.add(answer.seen?.name ?? String(answer.status));
  }
  return [...names].toSorted();
}

test("a first answer sets a cookie that nothing can be read from, and whoever brings it stays with that instance", async () => {
  const first = await get();
  expect(first.headers["set-cookie"]).toEqual([expect.stringMatching(COOKIE)]);
  const again = await get("/shop/x", cookieOf(first));
  expect([again.seen?.name, again.headers["set-cookie"]]).toEqual([first.seen?.name, undefined]);
  for (const name of ["a", "b", "c"]) expect(await answering(await sessionAt(name))).toEqual([name]);
});

test("a name in Host gets the path that the client sees", async () => {
  const answer = await ask(machine.port, "/x", { host: "shop.localhost" });
  expect(answer.headers["set-cookie"]).toEqual([expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Lax$/)]);
  const cookie = cookieOf(answer) as string;
  for (let i = 0; i < 6; i++) {
    expect((await ask(machine.port, "/x", { host: "shop", cookie })).seen?.name).toBe(answer.seen?.name);
  }
});

test.each([
  ["alone", (own: string) => own, undefined],
  ["before another", (own: string) => `${own}; x=1`, "x=1"],
  ["behind another", (own: string) => `x=1; ${own}`, "x=1"],
  ["between others", (own: string) => `x=1; ${own}; y=SERVERID=2`, "x=1; y=SERVERID=2"],
  ["twice", (own: string) => `${own}; x=1; ${own}`, "x=1"],
  ["with one of the application's own", (own: string) => `SERVERID=vm1; ${own}; x=1`, "SERVERID=vm1; x=1"],
  ["before one of the application's own", (own: string) => `${own}; SERVERID=vm1`, "SERVERID=vm1"],
  ["in front of the application's own value", (own: string) => `x=1; ${own}~vm 1; y=2`, "x=1; SERVERID=vm 1; y=2"],
  ["in front of an empty value", (own: string) => `${own}~`, "SERVERID="],
])("the cookie %s leads there and does not reach the instance", async (_, sent, seen) => {
  const own = await sessionAt("b");
  for (let i = 0; i < 4; i++) {
    const answer = await get("/shop/", sent(own));
    expect([answer.seen?.name, answer.seen?.headers["cookie"], answer.headers["set-cookie"]]).toEqual([
      "b",
      seen,
      undefined,
    ]);
  }
});

test.each([
  "SERVERID=",
  "SERVERID=vm1",
  "SERVERID=s.",
  "SERVERID=s.AAAAAAAAAAAAAAAAAAAAAA",
  "SERVERID=s.AAAAAAAAAAAAAAAAAAAAAAA",
  'SERVERID="s.AAAAAAAAAAAAAAAAAAAAAA"',
  "SERVERID",
  "serverid=s.AAAAAAAAAAAAAAAAAAAAAA",
  "SERVERID=|; =; ;;SERVERID==",
])("what is no cookie of a session, as in %s, is drawn and gets one", async (cookie) => {
  const answer = await get("/shop/", cookie);
  expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, [expect.stringMatching(COOKIE)]]);
  expect(await answering(cookie)).toEqual(["a", "b", "c"]);
});

test("an application's own cookie of that name and ours are one, and each gets its own back", async () => {
  const answer = await get(`/shop/?cookie=${encodeURIComponent("SERVERID=vm1; Path=/; Max-Age=9")}&cookie=x%3D1`);
  expect(answer.headers["set-cookie"]).toEqual([
    expect.stringMatching(/^SERVERID=s\.[A-Za-z0-9_-]{22}~vm1; Path=\/shop; Max-Age=9$/),
    "x=1",
  ]);
  const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] as string;
  const again = await get("/shop/", cookie);
  expect([again.seen?.name, again.seen?.headers["cookie"]]).toEqual([answer.seen?.name, "SERVERID=vm1"]);
  expect(again.headers["set-cookie"]).toBeUndefined();
});

test("cookies of the instance's own stay as they are", async () => {
  const answer = await get("/shop/?cookie=JSESSIONID%3D1&cookie=SERVERIDX%3D2");
  expect(answer.headers["set-cookie"]).toEqual(["JSESSIONID=1", "SERVERIDX=2", expect.stringMatching(COOKIE)]);
});

test("a cookie of another service, or of another name, leads nowhere", async () => {
  await become(
    shop(),
    ...three(),
    service("other", { settings: SESSIONS }),
    instance("other", "a", { url: a.url }),
    service("third", { settings: { balance: "cookie:it's-%d#" } }),
    instance("third", "a", { url: a.url }),
    instance("third", "b", { url: b.url, order: 1 }),
  );
  expect(await answering(await sessionAt("a", "/other/"))).toEqual(["a", "b", "c"]);
  const third = await sessionAt("b", "/third/");
  expect(third).toMatch(/^it's-%d#=s\./);
  expect(await answering(third, "/third/")).toEqual(["b"]);
  expect(await answering(third)).toEqual(["a", "b", "c"]);
});

test("an instance that drains keeps its sessions and gets no new ones, also when it is the last", async () => {
  const cookies = { a: await sessionAt("a"), b: await sessionAt("b") };
  const drained = (state: "draining" | "live"): Entity[] =>
    three().map((entity, i) => (i === 0 ? instance("shop", "a", { url: a.url, state }) : entity));
  const { length } = machine.reloads;
  await become(shop(), ...drained("draining"));
  expect([await answering(cookies.a), await answering(cookies.b)]).toEqual([["a"], ["b"]]);
  expect(await answering("")).toEqual(["b", "c"]);
  await become(shop(), ...three({ state: "draining" }));
  expect([await answering(cookies.a), await answering(cookies.b)]).toEqual([["a"], ["b"]]);
  expect((await get()).body).toContain("a is draining, b is draining, c is draining");
  await become(shop(), ...three());
  expect(await answering("")).toEqual(["a", "b", "c"]);
  await become(shop(), ...three().slice(1));
  expect(await answering(cookies.a)).toEqual(["b", "c"]);
  expect(machine.reloads.length).toBe(length);
});

test("an instance that comes back under its name has its sessions, wherever it is then", async () => {
  const cookie = await sessionAt("a");
  await become(shop(), ...three().slice(1));
  expect(await answering(cookie)).toEqual(["b", "c"]);
  await become(shop(), ...three().slice(1), instance("shop", "a", { url: `${c.url}/base`, version: "1.7" }));
  expect(await answering(cookie)).toEqual(["c"]);
  expect((await get("/shop/x", cookie)).seen?.url).toBe("/base/x");
});

test("a canary gets its share of the new sessions, keeps them, and loses them with its share", async () => {
  const v2 = instance("shop", "c", { url: c.url, version: "2", order: 2 });
  const at = (share: number): Entity[] => [
    shop(),
    ...three().slice(0, 2),
    v2,
    routes("shop", { "//shop(2)": { share } }),
  ];
  await become(...at(1_000));
  let news = 0;
  for (let i = 0; i < 400; i++) if ((await get()).seen?.name === "c") news++;
  expect(news).toBeGreaterThan(10);
  expect(news).toBeLessThan(80);
  const [old, canary] = [await sessionAt("a"), await sessionAt("c")];
  expect([await answering(old), await answering(canary)]).toEqual([["a"], ["c"]]);
  const { length } = machine.reloads;
  await become(...at(5_000));
  expect([await answering(old), await answering(canary)]).toEqual([["a"], ["c"]]);
  await become(...at(0));
  expect([await answering(old), await answering(canary)]).toEqual([["a"], ["a", "b"]]);
  const moved = await get("/shop/", canary);
  expect(moved.headers["set-cookie"]).toEqual([expect.stringMatching(COOKIE)]);
  await become(...at(10_000));
  expect([await answering(old), await answering(canary)]).toEqual([["c"], ["c"]]);
  // Promoted: what had a share of the primary is the primary, and what is held has none.
  await become(shop({ primary: "2" }), ...three().slice(0, 2), v2);
  expect([await answering(old), await answering(canary)]).toEqual([["c"], ["c"]]);
  expect(machine.reloads.length).toBe(length);
});

test("a condition goes before the cookie, and the sessions of its target stay in it", async () => {
  const entities = (share: number): Entity[] => [
    shop(),
    ...three().slice(0, 1),
    instance("shop", "b", { url: b.url, version: "2", order: 1 }),
    instance("shop", "c", { url: c.url, version: "2", order: 2 }),
    routes("shop", { "//shop(2)": { share, when: "path:/beta" } }, { sticky: "cookie:user" }),
  ];
  await become(...entities(0));
  const old = await sessionAt("a");
  expect(await answering(old)).toEqual(["a"]);
  expect(await answering(old, "/shop/beta")).toEqual(["b", "c"]);
  const beta = await sessionAt("b", "/shop/beta");
  expect(await answering(beta, "/shop/beta")).toEqual(["b"]);
  expect(await answering(beta)).toEqual(["a"]);
  // With a share the same session is good for all paths; and what is drawn by a user stays where its session is.
  await become(...entities(5_000));
  expect(await answering(beta)).toEqual(["b"]);
  for (let user = 0; user < 8; user++) expect(await answering(`${beta}; user=${user}`)).toEqual(["b"]);
});

test("a share of another service is kept by the cookie of the one that was asked for, or else by its own", async () => {
  const entities = (own: string, theirs: string): Entity[] => [
    service("shop", { settings: { balance: own } }),
    instance("shop", "a", { url: a.url }),
    service("cart", { settings: { balance: theirs } }),
    instance("cart", "b", { url: b.url, order: 1 }),
    instance("cart", "c", { url: c.url, order: 2 }),
    routes("shop", { "//cart": { share: 5_000, reading: "service" } }),
  ];
  for (const theirs of ["round-robin", "cookie:CART"]) {
    await become(...entities("cookie:SERVERID", theirs));
    const [shops, carts] = [await sessionAt("a"), await sessionAt("b")];
    expect(carts).toMatch(/^SERVERID=/);
    expect([await answering(shops), await answering(carts)]).toEqual([["a"], ["b"]]);
  }
  await become(...entities("round-robin", "cookie:CART"));
  const carts = await sessionAt("b");
  expect(carts).toMatch(/^CART=/);
  // Half of the requests are another service's, as they were; those that are not find the session again.
  expect(await answering(carts)).toEqual(["a", "b"]);
});

test("the default URL keeps the sessions of those that were sent there", async () => {
  const url = `${c.url}/old`;
  await become(
    service("shop", { settings: { ...SESSIONS, defaultUrl: url } }),
    instance("shop", "a", { url: a.url }),
    routes("shop", { "//shop": { share: 5_000 } }, { caller: "monolith" }),
  );
  const [own, old] = [await sessionAt("a"), await sessionAt("c")];
  expect([await answering(own), await answering(old)]).toEqual([["a"], ["c"]]);
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
  await become(
    shop({ protocol: "h2" }),
    instance("shop", "a", { protocol: "h2", url: `http://127.0.0.1:${one}` }),
    instance("shop", "b", { protocol: "h2", url: `http://127.0.0.1:${two}`, order: 1 }),
  );
  const cookie = await sessionAt("two");
  expect(await answering(`${cookie}; x=1`)).toEqual(["two"]);
  expect((await get("/shop/", `${cookie}; x=1`)).seen?.headers["cookie"]).toBe("x=1");
  for (const socket of sockets) socket.close();
});

test("a WebSocket is opened where its session is", async () => {
  const cookie = await sessionAt("b");
  const socket = connect(machine.port, "127.0.0.1");
  socket.write(
    `GET /shop/ HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const said = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
  socket.destroy();
  expect(said).toMatch(/x-inst: b/i);
});

test("a request whose instance has died is answered elsewhere, with a cookie of that one", async () => {
  const dying = await startEcho("dying");
  await become(shop(), ...three().slice(0, 1), instance("shop", "d", { url: dying.url, order: 3 }));
  const cookie = await sessionAt("dying");
  await dying.close();
  const moved = await get("/shop/", cookie);
  expect([moved.seen?.name, moved.headers["set-cookie"]]).toEqual(["a", [expect.stringMatching(COOKIE)]]);
  expect(await answering(cookieOf(moved) as string)).toEqual(["a"]);
  // The same where the whole group has died, and another one of the service takes its requests.
  const alone = await startEcho("alone");
  await become(
    shop(),
    instance("shop", "e", { url: alone.url, version: "2", order: 4 }),
    ...three().slice(0, 1),
    routes("shop", { "//shop(2)": { share: 5_000 } }),
  );
  const other = await sessionAt("alone");
  await alone.close();
  const away = await get("/shop/", other);
  expect([away.seen?.name, away.headers["set-cookie"]]).toEqual(["a", [expect.stringMatching(COOKIE)]]);
  expect(await answering(cookieOf(away) as string)).toEqual(["a"]);
});

test("services beside it are as they were", async () => {
  await become(shop(), ...three(), service("plain"), instance("plain", "a", { url: a.url }));
  const answer = await get("/plain/", "SERVERID=s.AAAAAAAAAAAAAAAAAAAAAA");
  expect(answer.headers["set-cookie"]).toBeUndefined();
  expect(answer.seen?.headers["cookie"]).toBe("SERVERID=s.AAAAAAAAAAAAAAAAAAAAAA");
  expect(machine.problems).toEqual([]);
});
