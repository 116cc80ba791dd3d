import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SessionIds } from "../core/planner/sessions.ts";
import { loadSherlockSettings } from "../config/settings.ts";
import { CERTIFICATE, KEY } from "../testing/certificate.ts";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { startMachine } from "../testing/machine.ts";
import { freePort } from "../testing/places.ts";
import { SESSION_IDS } from "../testing/session-ids.ts";
import { COOKIE, cookieOf, openShop, SESSIONS, type Shop } from "../testing/shop.ts";

/** What clients and instances see of the cookie of a session, through a real HAProxy. */

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

afterAll(() => shop?.close());

beforeEach(() => shop.become(shop.service(), ...shop.three()));

test("a first answer sets a cookie that nothing can be read from, and whoever brings it stays with that instance", async () => {
  const first = await shop.get();
  expect(first.headers["set-cookie"]).toEqual([expect.stringMatching(COOKIE)]);
  const again = await shop.get("/shop/x", cookieOf(first));
  expect([again.seen?.name, again.headers["set-cookie"]]).toEqual([first.seen?.name, undefined]);
  for (const name of ["a", "b", "c"]) expect(await shop.answering(await shop.sessionAt(name))).toEqual([name]);
});

test("a name in Host gets the path that the client sees", async () => {
  const answer = await ask(shop.machine.port, "/x", { host: "shop.localhost" });
  expect(answer.headers["set-cookie"]).toEqual([expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Lax$/)]);
  const cookie = cookieOf(answer) as string;
  for (let i = 0; i < 6; i++) {
    expect((await ask(shop.machine.port, "/x", { host: "shop", cookie })).seen?.name).toBe(answer.seen?.name);
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
  const own = await shop.sessionAt("b");
  for (let i = 0; i < 4; i++) {
    const answer = await shop.get("/shop/", sent(own));
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
  const answer = await shop.get("/shop/", cookie);
  expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, [expect.stringMatching(COOKIE)]]);
  expect(await shop.answering(cookie)).toEqual(["a", "b", "c"]);
});

test("an application's own cookie of that name and ours are one, and each gets its own back", async () => {
  const answer = await shop.get(`/shop/?cookie=${encodeURIComponent("SERVERID=vm1; Path=/; Max-Age=9")}&cookie=x%3D1`);
  expect(answer.headers["set-cookie"]).toEqual([
    expect.stringMatching(/^SERVERID=s\.[A-Za-z0-9_-]{22}~vm1; Path=\/shop; Max-Age=9$/),
    "x=1",
  ]);
  const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] as string;
  const again = await shop.get("/shop/", cookie);
  expect([again.seen?.name, again.seen?.headers["cookie"]]).toEqual([answer.seen?.name, "SERVERID=vm1"]);
  expect(again.headers["set-cookie"]).toBeUndefined();
});

test("cookies of the instance's own stay as they are", async () => {
  const answer = await shop.get("/shop/?cookie=JSESSIONID%3D1&cookie=SERVERIDX%3D2");
  expect(answer.headers["set-cookie"]).toEqual(["JSESSIONID=1", "SERVERIDX=2", expect.stringMatching(COOKIE)]);
});

test("a cookie of another service, or of another name, leads nowhere", async () => {
  await shop.become(
    shop.service(),
    ...shop.three(),
    service("other", { settings: SESSIONS }),
    instance("other", "a", { url: shop.a.url }),
    service("third", { settings: { balance: "cookie:it's-%d#" } }),
    instance("third", "a", { url: shop.a.url }),
    instance("third", "b", { url: shop.b.url, order: 1 }),
  );
  expect(await shop.answering(await shop.sessionAt("a", "/other/"))).toEqual(["a", "b", "c"]);
  const third = await shop.sessionAt("b", "/third/");
  expect(third).toMatch(/^it's-%d#=s\./);
  expect(await shop.answering(third, "/third/")).toEqual(["b"]);
  expect(await shop.answering(third)).toEqual(["a", "b", "c"]);
});

test("a cookie of a key that held before leads there, and is replaced", async () => {
  const ids: SessionIds = {
    shared: false,
    of: (...what) => [...SESSION_IDS.of(...what), ...SESSION_IDS.of(`before ${what[0]}`, what[1], what[2])],
  };
  const other = await startMachine({
    table: catalogOf(shop.service(), ...shop.three()),
    runDir: join(shop.folder, "keys"),
    port: await freePort(),
    sessionIds: ids,
  });
  try {
    const [now, before] = ids.of("shop", "shop", "b");
    const answer = await ask(other.port, "/shop/", { cookie: `SERVERID=${before}` });
    expect([answer.seen?.name, cookieOf(answer)]).toEqual(["b", `SERVERID=${now}`]);
    expect(other.problems).toMatchObject([
      { subject: "//shop", message: expect.stringContaining("more than one Sherlock") },
    ]);
  } finally {
    await other.stop();
  }
});

test("the cookie is Secure where a template makes the listener one of TLS", async () => {
  const template = join(shop.folder, "haproxy.cfg.hbs");
  const builtIn = await readFile(new URL("../../templates/haproxy.cfg.hbs", import.meta.url), "utf8");
  await writeFile(join(shop.folder, "tls.pem"), `${CERTIFICATE}\n${KEY}`);
  await writeFile(
    template,
    builtIn.replace("  bind {{this}}", `  bind {{this}} ssl crt ${join(shop.folder, "tls.pem")}`),
  );
  const { haproxy } = await loadSherlockSettings({
    config: undefined,
    directories: ["//localhost/directory"],
    options: {},
    args: [],
    env: { PATH: process.env["PATH"] },
  });
  const port = await freePort();
  const secure = await startMachine({
    table: catalogOf(shop.service(), ...shop.three()),
    runDir: join(shop.folder, "tls"),
    port,
    settings: { haproxy: { ...haproxy, template } },
  });
  try {
    const cookies = await new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path: "/shop/", rejectUnauthorized: false }, (response) => {
        response.resume().on("end", () => resolve(response.headers["set-cookie"]));
      });
      sent.on("error", reject).end();
    });
    expect(cookies).toEqual([expect.stringMatching(/; HttpOnly; SameSite=Lax; Secure$/)]);
  } finally {
    await secure.stop();
  }
});

test("services beside it are as they were", async () => {
  await shop.become(shop.service(), ...shop.three(), service("plain"), instance("plain", "a", { url: shop.a.url }));
  const answer = await shop.get("/plain/", "SERVERID=s.AAAAAAAAAAAAAAAAAAAAAA");
  expect(answer.headers["set-cookie"]).toBeUndefined();
  expect(answer.seen?.headers["cookie"]).toBe("SERVERID=s.AAAAAAAAAAAAAAAAAAAAAA");
  expect(shop.machine.problems).toEqual([]);
});
