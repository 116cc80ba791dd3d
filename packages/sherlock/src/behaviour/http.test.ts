import { writeFile } from "node:fs/promises";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer as createNetServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HEAD_LIMITS } from "@datawire/protocol";
import { httpRules } from "../core/render/http-rules.ts";
import { CERTIFICATE, KEY } from "../testing/certificate.ts";
import { EVERY_FEATURE } from "../testing/features.ts";
import { instance, routes, service, catalogOf } from "../testing/entities.ts";
import { type Answer, ask } from "../testing/ask.ts";
import { type Echo, startEcho, startSilent } from "../testing/echo.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/** What a client sees through one HAProxy with every kind of service. */

const HOSTILE = "/a%25b'c;d$(x)*+!~@&=,:";
let folder: string;
let machine: Machine;
let plain: Echo;
let tcpPort: number;
let takenPort: number;
const closers: (() => unknown)[] = [];

function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
  close(): unknown;
}): Promise<number> {
  closers.push(() => server.close());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const answer = (url: string | undefined): Record<string, string | string[]> => {
    const query = new URL(url ?? "/", "http://x").searchParams;
    const location = query.get("location");
    const cookies = query.getAll("cookie");
    return { ...(location === null ? {} : { location }), ...(cookies.length === 0 ? {} : { "set-cookie": cookies }) };
  };
  plain = await startEcho("plain", (req) => answer(req.url));
  closers.push(() => plain.close());
  const h2 = await listening(
    createHttp2Server((req, res) => {
      res.setHeader("x-inst", "h2");
      res.end(JSON.stringify({ name: "h2", url: req.url, headers: { ...req.headers } }));
    }),
  );
  const tls = await listening(
    createHttpsServer({ cert: CERTIFICATE, key: KEY }, (req, res) => {
      res.setHeader("x-inst", "tls");
      res.end(JSON.stringify({ name: "tls", url: req.url, headers: req.headers }));
    }),
  );
  const echo = await listening(createNetServer((socket) => socket.pipe(socket)));
  const broken = await listening(
    createNetServer((socket) => {
      socket.on("error", () => {}); // HAProxy breaks off what it cannot read
      socket.once("data", () => socket.end("no HTTP\n"));
    }),
  );
  const silent = await startSilent();
  closers.push(() => silent.close());
  takenPort = await listening(createNetServer());
  tcpPort = await freePort();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, CERTIFICATE);
  const table = catalogOf(
    service("plain"),
    instance("plain", "a", { url: plain.url }),
    service("based"),
    instance("based", "a", { url: `${plain.url}/base` }),
    service("hostile"),
    instance("hostile", "a", { url: `${plain.url}${HOSTILE}` }),
    service("mixed"),
    instance("mixed", "a", { url: plain.url }),
    instance("mixed", "b", { url: `${plain.url}/base`, order: 1 }),
    service("h2", { protocol: "h2" }),
    instance("h2", "a", { protocol: "h2", url: `http://127.0.0.1:${h2}` }),
    // The handshake is made by this process, which may be busy.
    service("tls", { settings: { connectTimeoutMs: 60_000 } }),
    instance("tls", "a", { url: `https://localhost:${tls}/t` }),
    service("untrusted"),
    instance("untrusted", "a", { url: `https://127.0.0.2:${tls}` }),
    service("gone"),
    instance("gone", "a", { url: "http://no-such-name.invalid/" }),
    service("empty"),
    service("tcp", { protocol: "tcp" }),
    instance("tcp", "a", { protocol: "tcp", url: `tcp://127.0.0.1:${echo}` }),
    service("tcp-taken", { protocol: "tcp" }),
    instance("tcp-taken", "a", { protocol: "tcp", url: `tcp://127.0.0.1:${echo}` }),
    service("late-default", { settings: { defaultUrl: `${plain.url}/old` } }),
    service("strict", { settings: { failover: "none" } }),
    instance("strict", "a", { url: plain.url, state: "down", reason: 'status 500 <b>;"' }),
    instance("strict", "b", { url: plain.url, version: "2", order: 1 }),
    service("refused", { settings: { failover: "none" } }),
    instance("refused", "a", { url: plain.url, state: "down" }),
    instance("refused", "b", { url: plain.url, version: "2", order: 1 }),
    routes("refused", { "//refused(2)": { share: 1 } }),
    service("broken"),
    instance("broken", "a", { url: `http://127.0.0.1:${broken}` }),
    service("slow", { settings: { timeoutMs: 100, retries: 0 } }),
    instance("slow", "a", { url: silent.url }),
    service("shared"),
    instance("shared", "a", { url: plain.url }),
    routes("shared", { "//based": { share: 10_000 } }),
  );
  machine = await startMachine({
    table,
    runDir: join(folder, "run"),
    port: await freePort(),
    caFile,
    settings: {
      tcp: {
        listen: new Map([
          ["tcp", { host: "127.0.0.1", port: tcpPort }],
          ["tcp-taken", { host: "127.0.0.1", port: takenPort }],
        ]),
        range: null,
      },
    },
  });
});

afterAll(async () => {
  await machine?.stop();
  for (const close of closers) close();
  await removeFolder(folder);
});

const get = (path: string, headers?: Record<string, string>) => ask(machine.port, path, headers);

// HAProxy tries an instance again soon whose first handshake took too long.
beforeAll(async () => {
  while ((await get("/tls/x")).status !== 200);
});

describe("a request", () => {
  test.each([
    ["/plain", "/"],
    ["/plain?x=/1", "/?x=/1"],
    ["/plain/", "/"],
    ["/plain//d/../e/", "//d/../e/"],
    ["/plain/a%2Fb%20c/%C3%A9?q=a%2Bb", "/a%2Fb%20c/%C3%A9?q=a%2Bb"],
    ["/based", "/base"],
    ["/based/", "/base/"],
    ["/based?x=1", "/base?x=1"],
    ["/based//d", "/base//d"],
    ["/hostile", HOSTILE],
    ["/hostile/x%25?y", `${HOSTILE}/x%25?y`],
    ["/shared/x", "/base/x"],
    ["/late-default/x", "/old/x"],
    ["/tls/x", "/t/x"],
    ["/h2/x?y", "/x?y"],
  ])("for %s arrives as %s", async (path, expected) => {
    expect((await get(path)).seen?.url).toBe(expected);
  });

  test("says what it was", async () => {
    const { seen } = await get("/based/x", { "x-forwarded-for": "9.9.9.9", "x-forwarded-host": "evil" });
    expect(seen?.headers).toMatchObject({
      host: `127.0.0.1:${plain.port}`,
      "x-forwarded-host": `127.0.0.1:${machine.port}`,
      "x-forwarded-proto": "http",
      "x-forwarded-prefix": "/based",
      "x-forwarded-for": "9.9.9.9, 127.0.0.1",
    });
  });

  test.each(["based", "based.localhost:5432", "BASED", "based.", "based.localhost.:5432"])(
    "with Host %s keeps its path",
    async (host) => {
      expect((await get("/x/y?z", { host })).seen?.url).toBe("/base/x/y?z");
    },
  );

  test("spreads over instances with different base paths", async () => {
    const urls = new Set<string | undefined>();
    for (let i = 0; i < 40; i++) urls.add((await get("/mixed/x")).seen?.url);
    expect(urls).toEqual(new Set(["/base/x", "/x"]));
  });
});

describe("a response", () => {
  test.each([
    ["/plain/z", "/x?a#b", "/plain/x?a#b"],
    ["/plain/z", "https://other/x", "https://other/x"],
    ["/plain/z", "//other/x", "//other/x"],
    ["/plain/z", "rel/x", "rel/x"],
    ["/based/z", "/base/x", "/based/x"],
    ["/based/z", "/basement", "/basement"],
    ["/hostile/z", `${HOSTILE}/x`, "/hostile/x"],
  ])("for %s maps Location %s to %s", async (path, location, expected) => {
    const answer = await get(`${path}?location=${encodeURIComponent(location)}`);
    expect(answer.headers.location).toBe(expected);
  });

  // An empty reference is the page that was asked for, and one that begins with ? is relative to it: a loop.
  test.each([
    ["/base", "/"],
    ["/base?x=1", "/?x=1"],
    ["/base#top", "/#top"],
    ["http://based/base?x", "/?x"],
    ["/base/y", "/y"],
    ["/basement", "/basement"],
    ["?x", "?x"],
  ])("asked for by Host maps Location %s to %s", async (location, expected) => {
    const answer = await get(`/z?location=${encodeURIComponent(location)}`, { host: "based" });
    expect(answer.headers.location).toBe(expected);
  });

  test("maps the Location of its own instance, and each cookie's path", async () => {
    const own = await get(`/based/z?location=${encodeURIComponent(`${plain.url}/base/x`)}`);
    expect(own.headers.location).toBe("/based/x");
    const loud = plain.url.replace("http:", "HTTP:");
    const shouted = await get(`/based/z?location=${encodeURIComponent(`${loud}/base/x`)}`);
    expect(shouted.headers.location).toBe("/based/x");
    const self = `?location=${encodeURIComponent("Http://Here.Example:5432/base/x")}`;
    for (const host of ["here.example:5432", "HERE.example:5432"])
      expect((await get(`/based/z${self}`, { host })).headers.location).toBe("/based/x");
    const cookies = [
      "a=1; Path=/base; Secure",
      "b=2; Path=/base/y",
      "c=path=/base",
      'd=1; Path="/base"; Secure',
      'e=1; path = "/base/y"',
      'f=1; Path="/basement"',
      'g="; Path=/base/z"; Path=/base/y',
      "h=1; Path=/other; Path=/base/y",
    ];
    const query = cookies.map((cookie) => `cookie=${encodeURIComponent(cookie)}`).join("&");
    expect((await get(`/based/z?${query}`)).headers["set-cookie"]).toEqual([
      "a=1; Path=/based; Secure",
      "b=2; Path=/based/y",
      "c=path=/base",
      'd=1; Path="/based"; Secure',
      'e=1; path = "/based/y"',
      'f=1; Path="/basement"',
      'g="; Path=/base/z"; Path=/based/y',
      "h=1; Path=/other; Path=/based/y",
    ]);
    expect((await get(`/z?${query}`, { host: "based" })).headers["set-cookie"]).toEqual([
      "a=1; Path=/; Secure",
      "b=2; Path=/y",
      "c=path=/base",
      'd=1; Path="/"; Secure',
      'e=1; path = "/y"',
      'f=1; Path="/basement"',
      'g="; Path=/base/z"; Path=/y',
      "h=1; Path=/other; Path=/y",
    ]);
  });
});

test("leaves a cookie alone that browsers take for / alone", async () => {
  const cookies = ["__Host-a=1; Path=/; Secure", "__Secure-a=1; Path=/; Secure"];
  const query = cookies.map((cookie) => `cookie=${encodeURIComponent(cookie)}`).join("&");
  expect((await get(`/plain/z?${query}`)).headers["set-cookie"]).toEqual([
    "__Host-a=1; Path=/; Secure",
    "__Secure-a=1; Path=/plain; Secure",
  ]);
});

describe("an answer of the proxy's own", () => {
  test.each([
    ["/nope/x", 404, "unknown service", "no service of that name is registered"],
    ["/PLAIN/x", 404, "unknown service", "no service of that name is registered"],
    ["/plainx", 404, "unknown service", "no service of that name is registered"],
    ["/empty/x", 503, "no live instance", "no instance is registered"],
    ["/gone/x", 503, "no live instance", "a is down, no-such-name.invalid does not resolve"],
    ["/strict/x", 503, "no live instance", "the primary, version 1, has no live instance"],
    ["/tcp/x", 503, "no live instance", expect.stringMatching(/^it is a TCP service, reached at 127\.0\.0\.1:\d+$/)],
    ["/untrusted/x", 503, "no live instance", "no instance answers"],
  ])("for %s is %i with the reason", async (path, status, error, reason) => {
    const answer = await get(path, { accept: "application/json" });
    const { pathname } = new URL(path, "http://x");
    expect([answer.status, answer.headers["content-type"]]).toEqual([status, "application/json"]);
    expect(JSON.parse(answer.body)).toEqual({ error, service: pathname.split("/")[1], reason });
  });

  const OWN = [
    ["/nope/x", 404, "unknown service", "no service of that name is registered"],
    ["/empty/x", 503, "no live instance", "no instance is registered"],
    ["/strict/x", 503, "no live instance", "the primary, version 1, has no live instance"],
    ["/refused/x", 503, "no live instance", "the primary has no live instance, and failover is none"],
    ["/untrusted/x", 503, "no live instance", "no instance answers"],
    ["/broken/x", 502, "bad gateway", httpRules(EVERY_FEATURE, HEAD_LIMITS.headerBytes).badAnswer],
    ["/slow/x", 504, "gateway timeout", "an instance did not answer in time, or the rest of the request did not come"],
  ] as const;
  test.each(OWN)("for %s is %i as text, HTML and JSON", async (path, status, error, reason) => {
    const name = path.split("/")[1];
    const answers = await Promise.all(
      ["*/*", "text/html,*/*;q=0.8", "application/json"].map((accept) => get(path, { accept })),
    );
    const [text, html, json] = answers as [Answer, Answer, Answer];
    expect(answers.map((answer) => [answer.status, answer.headers["content-type"]])).toEqual([
      [status, "text/plain"],
      [status, "text/html"],
      [status, "application/json"],
    ]);
    expect(answers.map(({ headers }) => headers["retry-after"] === "1")).toEqual(answers.map(() => status === 503));
    expect(text.body).toMatch(new RegExp(`^${status}: ${error}.* ${name}: ${reason}\n$`));
    expect(html.body).toContain(`<h1>${status}: ${error}</h1><p><b>${name}</b>: ${reason}.`);
    expect(JSON.parse(json.body)).toEqual({ error, service: name, reason });
  });

  test("names the service by Host too", async () => {
    const answer = await get("/x", { host: "untrusted", accept: "application/json" });
    expect(JSON.parse(answer.body)).toMatchObject({ service: "untrusted", reason: "no instance answers" });
  });

  test("never repeats what could be a script", async () => {
    const answer = await get("/<script>alert(1)<%2Fscript>", { accept: "text/html" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([404, "text/html"]);
    expect(answer.body).not.toContain("<script>");
  });
});

describe("a TCP service", () => {
  test("has a port of its own", async () => {
    const socket = connect(tcpPort, "127.0.0.1");
    socket.write("hello");
    const heard = await new Promise((resolve) => socket.once("data", (data) => resolve(data.toString())));
    socket.destroy();
    expect(heard).toBe("hello");
  });

  test("whose port is taken is named, and costs no other", () => {
    expect(machine.problems).toContainEqual({
      subject: "//tcp-taken",
      message: `Cannot listen on 127.0.0.1:${takenPort} for it: another process has it`,
    });
  });
});
