import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import type { Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  createHttp2Instance,
  createHttpInstance,
  createCertificate,
  createTlsInstance,
  DOWNLOAD,
  listenOn,
  md5,
  pace,
  PARTS,
  type Seen,
} from "./fixtures/http-instances.ts";
import { type Answer, askHttp, exchangeBytes } from "./harness/http-client.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** A legacy application puts `localhost:5432/name` where `http://name.internal` stood, and everything works as before. */

let stack: Stack;
let port: number;
let rootPort: number;
const servers: Server[] = [];

beforeAll(async () => {
  stack = new Stack();
  const listen = (server: Server, host?: string): Promise<number> => {
    servers.push(server);
    return listenOn(server, host);
  };
  const own = createCertificate(stack.folder);
  const root = await listen(createHttpInstance("root"));
  const other = await listen(createHttpInstance("other"));
  const tls = await listen(createTlsInstance("tls", own));
  const h2 = await listen(createHttp2Instance("h2"));
  const ipv6 = await listen(createHttpInstance("ipv6"), "::1");
  const urls: [service: string, instance: string, url: string, more?: object][] = [
    ["root", "root", `http://127.0.0.1:${root}`],
    ["based", "based", `http://127.0.0.1:${root}/base`],
    ["mixed", "mixed-a", `http://localhost:${root}/base`],
    ["mixed", "mixed-b", `http://127.0.0.1:${other}`],
    ["mixed", "mixed-c", `https://localhost:${tls}/deep/base`, { liveness: { tcp: `localhost:${tls}` } }],
    ["secret", "secret", `https://localhost:${tls}`, { liveness: { tcp: `localhost:${tls}` } }],
    ["ipv6", "ipv6", `http://[::1]:${ipv6}/base`],
    ["grpc", "grpc", `http://127.0.0.1:${h2}`, { protocol: "h2", liveness: { tcp: `127.0.0.1:${h2}` } }],
  ];
  for (const [service, instance, url, more] of urls) {
    stack.writeServiceFile(instance, { service: `//${service}`, version: "1", url, instance, ...more });
  }
  await stack.startDirectory();
  await Promise.all([
    // Nothing here is about checks: one that a busy machine answers late would cut what is under way.
    stack.startWatson({ defaults: { liveness: { interval: "100ms", timeout: "30s" } } }),
    stack.startSherlock([], { haproxy: { ca_file: join(stack.folder, "own.crt") } }),
  ]);
  ({ traffic: port } = await stack.ports());
  rootPort = root;
  await eventually(async () => {
    for (const [service] of urls) {
      const { status } = await ask(`/${service}/`);
      if (status !== 200) throw new Error(`${service} answers with ${status}`);
    }
  });
  // A connection that is open for long would meet the reload that the last instance takes.
  await stack.lists("mixed", { "mixed-a": "live", "mixed-b": "live", "mixed-c": "live" });
  await stack.followed();
});

afterAll(async () => {
  await stack.dispose();
  for (const server of servers) server.close();
});

const ask = (path: string, options: Parameters<typeof askHttp>[2] = {}): Promise<Answer> =>
  askHttp(port, path, options);

describe("a request", () => {
  test.each([
    ["/root", "/"],
    ["/root/a%2Fb%20c/%C3%A9;v=1?q=a%2Bb&&c=%", "/a%2Fb%20c/%C3%A9;v=1?q=a%2Bb&&c=%"],
    ["/root//d/./../e/?", "//d/./../e/?"],
    ["/based", "/base"],
    ["/based?/x", "/base?/x"],
    ["/ipv6/x%23", "/base/x%23"],
  ])("for %s arrives as %s", async (path, expected) => {
    expect((await ask(path)).seen.url).toBe(expected);
  });

  test.each(["OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"])("may be %s", async (method) => {
    const bytes = method === "OPTIONS" ? 0 : 1;
    const headers = { "content-length": String(bytes) };
    const { seen } = await ask("/root/x", { method, headers, body: Buffer.alloc(bytes) });
    expect(seen).toMatchObject({ method, bytes });
  });

  test("may be HEAD, which has the headers alone", async () => {
    const { status, headers, body } = await ask("/root/x", { method: "HEAD" });
    expect([status, headers["x-method"], body.length]).toEqual([200, "HEAD", 0]);
  });

  test("says whom it is for and where it comes from", async () => {
    const { headers } = (await ask("/ipv6/x")).seen;
    expect(headers["host"]).toMatch(/^\[::1\]:\d+$/);
    expect(headers).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": `127.0.0.1:${port}`,
      "x-forwarded-proto": "http",
      "x-forwarded-prefix": "/ipv6",
    });
  });

  test.each(["based", "based.localhost", "Based.localhost:5432"])(
    "goes by Host %s, its path unchanged",
    async (host) => {
      expect((await ask("/x//y?z", { headers: { host } })).seen.url).toBe("/base/x//y?z");
    },
  );

  test("finds instances that differ in path, host, port and scheme", async () => {
    const urls = new Set<string>();
    for (let i = 0; i < 80 && urls.size < 3; i++) urls.add((await ask("/mixed/x")).seen.url);
    expect([...urls].sort()).toEqual(["/base/x", "/deep/base/x", "/x"]);
  });

  test("over TLS names the server, and trusts the authority of its own", async () => {
    const { headers, seen } = await ask("/secret/x");
    expect([headers["x-server-name"], seen.instance]).toEqual(["localhost", "tls"]);
  });
});

describe("a body", () => {
  test("of 20 MB goes up with its length, and in chunks", async () => {
    const expected = { bytes: DOWNLOAD.length, md5: md5(DOWNLOAD) };
    const known = { "content-length": String(DOWNLOAD.length) };
    expect((await ask("/root/up", { method: "PUT", body: DOWNLOAD, headers: known })).seen).toMatchObject(expected);
    const chunked = { "transfer-encoding": "chunked" };
    expect((await ask("/based/up", { method: "POST", body: DOWNLOAD, headers: chunked })).seen).toMatchObject(expected);
  });

  test("of 20 MB comes down", async () => {
    expect(md5((await ask("/based/download")).body)).toBe(md5(DOWNLOAD));
  });

  test.each(["/root/chunks", "/based/events"])("of %s comes in parts, each at once", async (path) => {
    // On a busy machine all may come late by themselves: once they do not is enough.
    await eventually(async () => {
      const sent = request({ host: "127.0.0.1", port, path, agent: false }).end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const gapsMs: number[] = [];
      let lastMs = performance.now();
      // The next part is sent when this one is here; one that waits for more to go with it comes 200 ms later.
      for await (const _ of response) {
        gapsMs.push(performance.now() - lastMs);
        lastMs = performance.now();
        pace.emit("received");
      }
      expect(gapsMs).toHaveLength(PARTS);
      // None of those that wait would come sooner.
      expect(gapsMs.sort((x, y) => x - y)[PARTS / 4]).toBeLessThan(100);
    });
  });

  test("goes both ways at once", async () => {
    const sent = request({ host: "127.0.0.1", port, path: "/root/echo", method: "POST", agent: false });
    sent.flushHeaders();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    for (const word of ["one", "two"]) {
      sent.write(word);
      expect(String((await once(response, "data"))[0])).toBe(word);
    }
    sent.end();
    await once(response.resume(), "end");
  });

  test("has its trailers, both ways", async () => {
    expect((await ask("/root/trailers")).trailers).toEqual({ "x-sum": "42" });
    const sent = request({ host: "127.0.0.1", port, path: "/root/x", method: "POST", agent: false });
    sent.setHeader("trailer", "x-check");
    sent.write("body");
    sent.addTrailers({ "x-check": "7" });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect((JSON.parse(await text(response)) as Seen).trailers).toEqual({ "x-check": "7" });
  });

  test("waits for 100 Continue where the caller does", async () => {
    const headers = { expect: "100-continue", "content-length": "4" };
    const sent = request({ host: "127.0.0.1", port, path: "/root/x", method: "POST", agent: false, headers });
    sent.flushHeaders();
    await once(sent, "continue");
    sent.end("body");
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toMatchObject({ bytes: 4 });
  });
});

describe("a connection", () => {
  test("is kept for the next request", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (const path of ["/root/1", "/based/2", "/nobody/3", "/root/4"]) {
      const sent = request({ host: "127.0.0.1", port, path, agent }).end();
      sent.once("socket", (socket) => ports.add(socket.localPort));
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      ports.add(response.socket.localPort);
      await text(response);
    }
    agent.destroy();
    expect([...ports].filter((one) => one !== undefined)).toHaveLength(1);
  });

  test("takes requests one after the other without waiting, and answers in their order", async () => {
    const one = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const heard = await exchangeBytes(port, one("/root/1") + one("/based/2") + one("/root/3"), /"url":"\/3"/);
    expect([...heard.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url)).toEqual(["/1", "/base/2", "/3"]);
  });

  test.each([
    ["in absolute form", "GET http://localhost/root/x?y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
    ["of HTTP/1.0", "GET /root/x?y HTTP/1.0\r\n\r\n"],
    ["with Connection: close", "GET /root/x?y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
  ])("ends after a request %s", async (_, bytes) => {
    const heard = await exchangeBytes(port, bytes);
    expect(heard).toMatch(/^HTTP\/1\.[01] 200/);
    expect(heard).toContain('"url":"/x?y"');
  });

  test("becomes a WebSocket", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/based/socket`);
    await once(socket, "open");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("hello");
    const large = Buffer.alloc(300_000, 7);
    socket.send(large);
    expect(md5((await once(socket, "message"))[0] as Buffer)).toBe(md5(large));
    socket.close(4_000, "bye");
    expect((await once(socket, "close"))[0]).toBe(4_000);
  });
});

test("a response is mapped back: redirects and cookie paths stay with Sherlock", async () => {
  const { status, headers } = await ask("/based/redirect");
  expect([status, headers.location]).toEqual([302, "/based/there?q=1"]);
  expect(headers["set-cookie"]).toEqual(["a=1; Path=/based; HttpOnly", "b=2; Path=/other"]);
  expect((await ask(headers.location as string)).seen.headers["host"]).toBe(`127.0.0.1:${rootPort}`);
});

describe("HTTP/2 without TLS", () => {
  let session: ClientHttp2Session;
  beforeAll(() => void (session = connectHttp2(`http://127.0.0.1:${port}`)));
  afterAll(() => session.close());

  test("reaches instances of HTTP/1.1 and of HTTP/2", async () => {
    for (const [path, expected] of [
      ["/based/x?y", { instance: "root", url: "/base/x?y", httpVersion: "1.1" }],
      ["/grpc/x?y", { instance: "h2", url: "/x?y" }],
    ] as const) {
      const stream = session.request({ ":path": path });
      expect(JSON.parse(await text(stream))).toMatchObject(expected);
    }
  });

  test.each([
    ["/grpc/echo.Echo/Unary", undefined],
    ["/echo.Echo/Unary", "grpc"],
  ])("carries a call to %s with its trailers", async (path, authority) => {
    const stream = session.request({
      ":path": path,
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      ...(authority === undefined ? {} : { ":authority": authority }),
    });
    const trailers = once(stream, "trailers");
    stream.end("message");
    expect(await text(stream)).toBe("message");
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0", "grpc-message": "fine" });
  });

  test("streams both ways within one call", async () => {
    const stream = session.request({ ":path": "/grpc/echo.Echo/Stream", ":method": "POST", te: "trailers" });
    const trailers = once(stream, "trailers");
    for (const word of ["one", "two", "three"]) {
      stream.write(word);
      expect(String((await once(stream, "data"))[0])).toBe(word);
      await sleep(20);
    }
    stream.end();
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
    stream.close(constants.NGHTTP2_NO_ERROR);
  });
});
