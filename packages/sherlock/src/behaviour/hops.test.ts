import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CERTIFICATE, KEY } from "../testing/certificate.ts";
import { instance, routes, service, catalogOf } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, ok, type RawInstance, requestOf, startRaw } from "../testing/raw.ts";

/** What belongs to one hop stays there, whichever way a request takes through HAProxy. */

let folder: string;
let machine: Machine;
let raw: RawInstance;
/** Heads that instances of Node saw, as raw ones have them. */
const seen: string[] = [];
const servers: Server[] = [];
/** What the raw instance adds to its answer, by the path that it is asked for. */
const answers = new Map<string, string>();

/** Each way a request may take: by path or Host, plain, shared, with conditions, over the hop to the next group. */
const WAYS = ["path", "host", "shared", "special", "crossing", "default", "fallback", "h2", "https"] as const;
type Way = (typeof WAYS)[number];

beforeAll(async () => {
  folder = await temporaryFolder();
  raw = await startRaw((head) => answers.get(head.split(" ")[1] ?? "") ?? ok());
  const listen = (server: Server): Promise<number> => {
    servers.push(server);
    return new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
    );
  };
  const echo = (method: string | undefined, url: string | undefined, headers: object): void => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
    seen.push([`${method} ${url} HTTP`, ...lines].join("\r\n"));
  };
  const h2 = await listen(
    createHttp2Server((req, res) => {
      echo(req.method, req.url, req.headers);
      res.end();
    }),
  );
  const https = await listen(
    createHttpsServer({ cert: CERTIFICATE, key: KEY }, (req, res) => {
      echo(req.method, req.url, req.headers);
      res.end();
    }),
  );
  const dead = `http://127.0.0.1:${await freePort()}`;
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, CERTIFICATE);
  const table = catalogOf(
    service("path"),
    instance("path", "a", { url: `${raw.url}/base` }),
    service("host"),
    instance("host", "a", { url: raw.url }),
    service("shared"),
    instance("shared", "a", { url: raw.url }),
    instance("shared", "b", { url: `${raw.url}/b`, version: "2", order: 1 }),
    routes("shared", { "//shared(2)": { share: 5_000 } }),
    service("special"),
    instance("special", "a", { url: raw.url }),
    instance("special", "b", { url: `${raw.url}/b`, version: "2", order: 1 }),
    routes("special", { "//special(2)": { share: 0, when: "header:x-canary=1" } }),
    service("crossing", { settings: { defaultUrl: raw.url } }),
    service("taker"),
    instance("taker", "a", { url: `${raw.url}/t` }),
    routes("crossing", { "//taker": { share: 10_000 } }),
    service("default", { settings: { defaultUrl: `${raw.url}/old` } }),
    service("fallback"),
    instance("fallback", "a", { url: dead }),
    instance("fallback", "b", { url: `${raw.url}/b`, version: "2", order: 1 }),
    service("h2", { protocol: "h2" }),
    instance("h2", "a", { protocol: "h2", url: `http://127.0.0.1:${h2}` }),
    service("h2-fallback", { protocol: "h2" }),
    instance("h2-fallback", "a", { protocol: "h2", url: dead }),
    instance("h2-fallback", "b", { protocol: "h2", url: `http://127.0.0.1:${h2}/b`, version: "2", order: 1 }),
    // The handshake is made by this process, which may be busy.
    service("https", { settings: { connectTimeoutMs: 60_000 } }),
    instance("https", "a", { url: `https://localhost:${https}` }),
  );
  machine = await startMachine({
    table,
    runDir: folder,
    port: await freePort(),
    caFile,
  });
  // HAProxy tries an instance again soon whose first handshake took too long.
  while ((await ask("https", [])).status !== 200);
});

afterAll(async () => {
  await machine?.stop();
  raw.close();
  for (const server of servers) server.close();
  await removeFolder(folder);
});

/** Asks one way, and gives the answer with the head that the instance saw; null where none saw it. */
async function ask(way: Way, headers: readonly string[], { method = "GET", version = "1.1" } = {}) {
  const heads = way === "h2" || way === "https" ? seen : raw.heads;
  const before = heads.length;
  const target = way === "host" ? "/x" : `/${way}/x`;
  const host = way === "host" ? "host" : `127.0.0.1:${machine.port}`;
  const named = headers.some((line) => /^host:/i.test(line)) ? headers : [`Host: ${host}`, ...headers];
  const answer = await exchange(machine.port, requestOf(`${method} ${target} HTTP/${version}`, ...named));
  return { answer, status: Number(answer.split(" ")[1]), head: heads[before] ?? null };
}

const headersOf = (head: string | null): string[] => (head ?? "").split("\r\n").slice(1);
const allOf = (head: string | null, name: string): string[] =>
  headersOf(head)
    .filter((line) => line.toLowerCase().startsWith(`${name}: `))
    .map((line) => line.slice(name.length + 2));
const valueOf = (head: string | null, name: string): string | undefined => allOf(head, name)[0];

describe.each(WAYS)("by way of %s", (way) => {
  test.each([
    [["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]],
    [["Connection: Upgrade", "Upgrade: H2C, foo/2"]],
    [["Connection: upgrade", "Upgrade: TLS/1.2, HTTP/1.1"]],
    [["Connection: Upgrade", "Upgrade: foo", "Upgrade: bar"]],
    [["Upgrade: websocket"]],
    [["Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Connection: Keep-Alive, Proxy-Connection"]],
    [["TE: gzip", "Connection: TE"]],
    [["X-Dstack-From: evil:v9", "X-Dstack-Node: a", "x-dstack-answer: proxy"]],
    [["X_Dstack_From: a", "X_Forwarded_For: 6.6.6.6", "X_Forwarded-Host: evil", "X-Forwarded_Prefix: /evil"]],
    [["X.Forwarded.For: 6.6.6.6", "Content_Length: 3", "Transfer_Encoding: chunked"]],
  ])("%j does not reach the instance", async (headers) => {
    const { status, head } = await ask(way, headers);
    expect(status).toBe(200);
    const names = headersOf(head).map((line) => (line.split(":")[0] ?? "").toLowerCase());
    const gone = headers.map((line) => (line.split(":")[0] ?? "").toLowerCase());
    // Sherlock's own word to the hop in the middle stands in the place of the client's.
    const own = new Set(["x-dstack-node", "x-dstack-from", "connection"]);
    expect(names.filter((name) => gone.includes(name) && !own.has(name))).toEqual([]);
    expect(valueOf(head, "x-dstack-node") ?? "none").not.toBe("a");
    expect(allOf(head, "x-dstack-from").filter((value) => value !== "fallback:v1")).toEqual([]);
    expect(valueOf(head, "connection") ?? "keep-alive").toMatch(/^(keep-alive|close)$/);
  });

  test.each(["X-Forwarded-For", "X-Forwarded-Host, host", "close, content-length, X-Forwarded-Prefix", "Cookie"])(
    "Connection: %s takes nothing away, and does not pass",
    async (value) => {
      const { status, head } = await ask(way, [`Connection: ${value}`, "X-Forwarded-For: 9.9.9.9", "Cookie: a=1"]);
      expect(status).toBe(200);
      expect(valueOf(head, "connection") ?? "keep-alive").toMatch(/^(keep-alive|close)$/);
      expect(valueOf(head, "cookie")).toBe("a=1");
      expect(valueOf(head, "x-forwarded-host")).toBe(way === "host" ? "host" : `127.0.0.1:${machine.port}`);
      expect(allOf(head, "x-forwarded-for").join(", ")).toBe("9.9.9.9, 127.0.0.1");
    },
  );

  test.each([
    [["Connection: X-Hop", "X-Hop: 1"]],
    [["X-Hop: 1", "Connection: close, x-hop"]],
    [["X-Hop: 1", "Accept: */*", "Connection: foo , X-hop ,bar"]],
  ])("%j is refused, as the header cannot be kept from the instance", async (headers) => {
    const { status, answer, head } = await ask(way, headers);
    expect([status, head]).toEqual([400, null]);
    expect(answer).toContain("400: bad request: Connection names a header");
  });

  test("a name in Connection that no header has changes nothing", async () => {
    const { status, head } = await ask(way, ["Connection: X-Hop", "X-Hop2: 1"]);
    expect([status, valueOf(head, "x-hop2")]).toEqual([200, "1"]);
  });

  test.each(["CONNECT", "TRACE"])("%s gets 405, and a page of Sherlock's", async (method) => {
    const { status, answer, head } = await ask(way, [], { method });
    expect([status, head]).toEqual([405, null]);
    expect(answer).toMatch(/^allow: GET, HEAD, POST/im);
    expect(answer).toContain("405: method not allowed: CONNECT and TRACE");
  });

  test.each([
    ["a control character", ["X-A: a\x01b"]],
    ["NUL", ["X-A: a\x00b"]],
    ["a name with a blank", ["X A: b"]],
    ["a name that ends in a blank", ["Transfer-Encoding : chunked"]],
    ["a name with a byte above 127", ["X-\xe9: b"]],
    ["several hosts", ["Host: evil.com, plain"]],
    ["a host with a user", ["Host: a@host"]],
    ["a very long host", [`Host: ${"a".repeat(300)}`]],
  ])("%s in a header is refused", async (_what, headers) => {
    const { status, answer, head } = await ask(way, headers);
    expect([status, head]).toEqual([400, null]);
    expect(answer).toContain("400: bad request: ");
  });

  test("Transfer-Encoding in HTTP/1.0 is refused", async () => {
    const { status, head } = await ask(way, ["Transfer-Encoding: chunked"], { method: "POST", version: "1.0" });
    expect([status, head]).toEqual([400, null]);
  });

  test.each(["1.2", "1.10", "2.5", "9.9"])("HTTP/%s is refused", async (version) => {
    const { status, head } = await ask(way, [], { version });
    expect([status, head]).toEqual([400, null]);
  });

  test("TE says trailers, and nothing beside", async () => {
    const { status, head } = await ask(way, ["TE: trailers, deflate;q=0.5", "Connection: TE"]);
    expect([status, valueOf(head, "te")]).toEqual([200, "trailers"]);
  });

  test("empty X-Forwarded headers are as none", async () => {
    const { head } = await ask(way, ["X-Forwarded-For:", "X-Forwarded-Host:", "X-Forwarded-Proto:"]);
    expect(valueOf(head, "x-forwarded-for")).toBe("127.0.0.1");
    expect(valueOf(head, "x-forwarded-proto")).toBe("http");
    expect(valueOf(head, "x-forwarded-host")).toBe(way === "host" ? "host" : `127.0.0.1:${machine.port}`);
  });

  test("bytes above 127 pass in headers, and control characters do not stand for blanks", async () => {
    const { status, head } = await ask(way, ["X-Name: J\xfcrgen\tM"]);
    expect(status).toBe(200);
    expect(valueOf(head, "x-name")).toBe("J\xfcrgen\tM");
  });
});

const WEBSOCKET = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
const ACCEPTED = [
  "HTTP/1.1 101 Switching Protocols",
  "Connection: upgrade, x-foo",
  "Upgrade: websocket",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  "Keep-Alive: timeout=5",
  "",
  "",
].join("\r\n");

describe("an offer of a WebSocket", () => {
  const way = { path: "/base/x", host: "/x", special: "/x", fallback: "/b/x" } as const;
  test.each(Object.entries(way))("passes by way of %s, alone, and so does its answer", async (name, path) => {
    answers.set(path, ACCEPTED);
    const { answer, head } = await ask(name as Way, ["Connection: Upgrade", "Upgrade: h2c, WebSocket", ...WEBSOCKET]);
    answers.delete(path);
    expect([valueOf(head, "upgrade"), valueOf(head, "connection")?.toLowerCase()]).toEqual(["websocket", "upgrade"]);
    expect(answer).toMatch(/^HTTP\/1.1 101 /);
    expect([valueOf(answer, "upgrade"), valueOf(answer, "connection")?.toLowerCase()]).toEqual([
      "websocket",
      "upgrade",
    ]);
    expect(valueOf(answer, "keep-alive")).toBeUndefined();
  });

  test.each([
    ["POST", "1.1"],
    ["GET", "1.0"],
  ])("is none with %s in HTTP/%s", async (method, version) => {
    const headers = ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0", ...WEBSOCKET];
    expect(valueOf((await ask("path", headers, { method, version })).head, "upgrade")).toBeUndefined();
  });
});

describe("of an answer", () => {
  const answered = async (lines: readonly string[], status?: string): Promise<string> => {
    answers.set("/base/x", ok(lines, status));
    const { answer } = await ask("path", ["Accept: application/json"]);
    answers.delete("/base/x");
    return answer;
  };

  test.each([
    ["Keep-Alive: timeout=5"],
    ["Connection: upgrade, X-Foo"],
    ["Upgrade: h2c, h2"],
    ["Proxy-Connection: keep-alive"],
    ["X-Dstack-Answer: proxy"],
    ["X-Dstack-Node: a"],
  ])("%s ends at Sherlock", async (line) => {
    const answer = await answered([line, "Content-Type: text/x-own", "X-Own: 1"]);
    expect(valueOf(answer, line.split(":")[0]?.toLowerCase() ?? "") ?? "keep-alive").toBe("keep-alive");
    expect([valueOf(answer, "content-type"), valueOf(answer, "x-own")]).toEqual(["text/x-own", "1"]);
  });

  test("the rest is mapped all the same", async () => {
    const answer = await answered(
      ["Keep-Alive: timeout=5", "Location: /base/there", "Set-Cookie: a=1; Path=/base"],
      "302 Found",
    );
    expect([valueOf(answer, "location"), valueOf(answer, "set-cookie")]).toEqual(["/path/there", "a=1; Path=/path"]);
  });

  test("101 that nobody asked for is none", async () => {
    answers.set("/base/x", ACCEPTED);
    const { status } = await ask("path", []);
    answers.delete("/base/x");
    expect(status).toBe(502);
  });
});

test.each([
  ["h2", "Host: localhost", "/x?y=1"],
  ["h2", "X-No: host", "/x?y=1"],
  ["h2", "Host: ", "/x?y=1"],
  ["h2-fallback", "Host: localhost", "/b/x?y=1"],
  ["h2-fallback", "X-No: host", "/b/x?y=1"],
])("%s, an instance of HTTP/2 without TLS, is asked in its own scheme: %s", async (name, line, path) => {
  const before = seen.length;
  const answer = await exchange(machine.port, requestOf(`GET /${name}/x?y=1 HTTP/1.1`, line));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  const head = seen[before] ?? "";
  expect(head).toContain(`GET ${path} HTTP`);
  expect(head).toContain("\r\n:scheme: http\r\n");
  expect(head).toMatch(/\r\n(?::authority|host): 127\.0\.0\.1:\d+(?:\r\n|$)/);
  expect(head).not.toContain("FB.");
});

describe("a request line", () => {
  const send = (line: string, ...headers: readonly string[]) => exchange(machine.port, requestOf(line, ...headers));

  test.each([
    ["GET http://host/x?y HTTP/1.1", "Host: host", "GET /x?y HTTP/1.1"],
    ["GET http://HOST/path HTTP/1.1", "Host: host", "GET /base HTTP/1.1"],
    ["GET HTTP://host/loud HTTP/1.1", "Host: host", "GET /loud HTTP/1.1"],
    ["GET /path/\xc3\xa9/\xff?\xfc=\xe4 HTTP/1.1", "Host: localhost", "GET /base/\xc3\xa9/\xff?\xfc=\xe4 HTTP/1.1"],
  ])("%s arrives as a path", async (line, host, expected) => {
    await send(line, host);
    expect(raw.heads.at(-1)?.split("\r\n")[0]).toBe(expected);
  });

  test.each([
    ["GET http://evil.com/path/x HTTP/1.1", "Host: localhost"],
    ["GET /path/x#y HTTP/1.1", "Host: localhost"],
    ["GET /path/x?a#y HTTP/1.1", "Host: localhost"],
    ["GET * HTTP/1.1", "Host: localhost"],
    ["GET path/x HTTP/1.1", "Host: localhost"],
    ["GET ftp://localhost/path/x HTTP/1.1", "Host: localhost"],
    ["GET http://host?x=1 HTTP/1.1", "Host: host", "the URL has a query and no path"],
  ])("%s is refused with a page of Sherlock's", async (line, host, reason = "") => {
    const before = raw.heads.length;
    const answer = await send(line, host);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*400: bad request: /);
    expect(answer).toContain(reason);
    expect(raw.heads).toHaveLength(before);
  });

  test.each(["GET /path/\x01 HTTP/1.1", "GET /path/\x7f HTTP/1.1", "GET /path/\x00 HTTP/1.1"])(
    "with a control character is refused",
    async (line) => {
      const before = raw.heads.length;
      expect(await send(line, "Host: localhost")).toMatch(/^HTTP\/1\.[01] 400 /);
      expect(raw.heads).toHaveLength(before);
    },
  );

  test("OPTIONS * is answered by Sherlock, whom it asks", async () => {
    const answer = await send("OPTIONS * HTTP/1.1", "Host: path");
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(valueOf(answer, "allow")).toContain("OPTIONS");
  });

  test("CONNECT HOST:PORT gets 405", async () => {
    expect(await send("CONNECT path:80 HTTP/1.1", "Host: path:80")).toMatch(/^HTTP\/1\.1 405 /);
  });

  test("without Host says nothing of one", async () => {
    await send("GET /path/x HTTP/1.0", "X-Forwarded-Host: evil.com");
    expect(valueOf(raw.heads.at(-1) ?? null, "x-forwarded-host")).toBeUndefined();
  });

  test.each(["GET //path/x HTTP/1.1", "POST / HTTP/1.1"])("%s names no service, and is told so", async (line) => {
    expect(await send(line, "Host: localhost", "Content-Length: 0")).toMatch(
      /^HTTP\/1\.1 404 [\s\S]*404: no service is named: the first segment of the path is empty/,
    );
  });
});

describe("Location, with the service in Host", () => {
  test.each([
    ["/base//evil.com/", "/.//evil.com/"],
    ["/base/\\evil.com/", "/./\\evil.com/"],
    ["/base/\t/evil.com/", "/./\t/evil.com/"],
    ["URL/base//evil.com/x", "/.//evil.com/x"],
    ["/base/there", "/there"],
    ["//other.com/x", "//other.com/x"],
    ["https://other.com//x", "https://other.com//x"],
  ])("of %s becomes %s", async (location, expected) => {
    answers.set("/base/x", ok([`Location: ${location.replace("URL", raw.url)}`], "302 Found"));
    const answer = await exchange(machine.port, requestOf("GET /x HTTP/1.1", "Host: path"));
    answers.delete("/base/x");
    expect(valueOf(answer, "location")).toBe(expected);
  });
});
