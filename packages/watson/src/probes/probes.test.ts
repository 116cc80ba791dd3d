import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from "node:net";
import { promisify } from "node:util";
import { systemClock } from "@datawire/runtime";
import {
  expiredCertificate,
  freePorts,
  goodCertificate,
  testAuthority,
  wrongCertificate,
} from "@datawire/runtime/testing";
import { afterEach, expect, test } from "vitest";
import type { GrpcProbe, HttpProbe } from "../model/service-definition.ts";
import { createAuthorities } from "../machine/authorities.ts";
import { createLookup } from "../machine/lookup.ts";
import { createTrafficLookup } from "../machine/traffic-lookup.ts";
import { type ActiveProbe, createProber } from "./create-prober.ts";
import type { ProberDeps } from "./prober.ts";

const lookup = createLookup({ clock: systemClock });
const deps: ProberDeps = {
  lookup,
  trafficLookup: createTrafficLookup(lookup),
  secureContext: createAuthorities(null, { clock: systemClock }),
  fingerprint: null,
  env: process.env,
};
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function probe(settings: ActiveProbe, signal = new AbortController().signal): Promise<string> {
  const prober = createProber(settings, deps);
  const result = await prober.probe(signal);
  prober.close();
  return result.ok ? "pass" : result.reason;
}

async function listen(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

async function http(answer: RequestListener, over: Partial<HttpProbe> = {}): Promise<HttpProbe> {
  const server = createServer(answer);
  const port = await listen(server);
  closing.push(() => server.closeAllConnections());
  return httpProbe(port, over);
}

function httpProbe(port: number, over: Partial<HttpProbe> = {}): HttpProbe {
  const url = `http://127.0.0.1:${port}/liveness_check`;
  return {
    kind: "http",
    url,
    method: "GET",
    headers: {},
    status: [[200, 299]],
    body: null,
    tls: { verify: true, serverName: null },
    http2: false,
    asTraffic: true,
    ...over,
  };
}

test("createProber() http passes on an expected status", async () => {
  expect(await probe(await http((_, res) => res.writeHead(204).end()))).toBe("pass");
});

test("createProber() http names the status, the request and what was wanted", async () => {
  const settings = await http((_, res) => res.writeHead(503).end());
  expect(await probe(settings)).toBe("503 from GET /liveness_check, wanted 200-299");
});

test("createProber() http follows no redirect", async () => {
  const settings = await http((_, res) => res.writeHead(302, { location: "/" }).end());
  expect(await probe(settings)).toBe("302 from GET /liveness_check, wanted 200-299");
  expect(
    await probe({
      ...settings,
      status: [
        [200, 299],
        [302, 302],
      ],
    }),
  ).toBe("pass");
});

test("createProber() http sends the method and the headers, Host among them", async () => {
  const settings = await http((req, res) => {
    const { host, "x-probe": x } = req.headers;
    res.writeHead(req.method === "HEAD" && host === "barker.internal" && x === "1" ? 200 : 400).end();
  });
  const headers = { Host: "barker.internal", "X-Probe": "1" };
  expect(await probe({ ...settings, method: "HEAD", headers })).toBe("pass");
});

test("createProber() http compares the body", async () => {
  const settings = await http((_, res) => res.end("all is well"));
  expect(await probe({ ...settings, body: "is w.ll$" })).toBe("pass");
  expect(await probe({ ...settings, body: "^well" })).toBe("the body of GET /liveness_check does not match /^well/");
});

test("createProber() http stops an expression that would take for ever", async () => {
  const settings = await http((_, res) => res.end(`${"a".repeat(40)}!`));
  expect(await probe({ ...settings, body: "^(a+)+$" })).toContain("took more than 50ms");
});

test("createProber() http reads the start of a body that never ends", async () => {
  const settings = await http((_, res) => {
    const write = (): void => {
      while (res.write("x".repeat(16_384)));
      res.once("drain", write);
    };
    write();
  });
  expect(await probe({ ...settings, body: "^xxx" })).toBe("pass");
  expect(await probe(settings)).toBe("pass");
});

test("createProber() http judges by the status alone however slowly the body comes, each time", async () => {
  const settings = await http((_, res) => void res.writeHead(200).write("x"));
  const prober = createProber(settings, deps);
  for (let i = 0; i < 3; i++) expect(await prober.probe(new AbortController().signal)).toEqual({ ok: true });
  prober.close();
});

test("createProber() http opens a new connection each time", async () => {
  const ports = new Set<number | undefined>();
  const settings = await http((req, res) => {
    ports.add(req.socket.remotePort);
    res.end();
  });
  const prober = createProber(settings, deps);
  for (let i = 0; i < 3; i++) expect(await prober.probe(new AbortController().signal)).toEqual({ ok: true });
  prober.close();
  expect(ports.size).toBe(3);
});

test("createProber() http tells a refused connection, and one that is closed without an answer", async () => {
  const port = await closedPort();
  expect(await probe(httpProbe(port))).toBe(`connection refused by 127.0.0.1:${port}`);
  const rude = await listen(createTcp((socket) => socket.destroy()));
  expect(await probe(httpProbe(rude))).toBe(`connection closed before an answer by 127.0.0.1:${rude}`);
});

test("createProber() http tells an answer that is no HTTP", async () => {
  const port = await listen(createTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")));
  expect(await probe(httpProbe(port))).toContain(`no valid HTTP from 127.0.0.1:${port}: it begins with "SSH-2.0`);
});

test("createProber() http refuses what HAProxy refuses, and says which header it is", async () => {
  const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  const port = await listen(createTcp((socket) => void socket.once("data", () => socket.end(answer))));
  expect(await probe(httpProbe(port))).toBe(
    `no valid HTTP from 127.0.0.1:${port}: its Transfer-Encoding says chunked more than once`,
  );
});

test("createProber() http reads a body in chunks, by its length, and until the end", async () => {
  for (const rest of [
    "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nall\r\n005\r\n well\r\n0\r\nT: 1\r\n\r\n",
    "Content-Length: 8\r\n\r\nall well and more",
    "\r\nall well",
  ]) {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${rest}`);
    const server = createTcp((socket) => {
      socket.once("data", () => {
        for (const byte of bytes) socket.write(Buffer.of(byte));
        socket.end();
      });
    });
    const port = await listen(server);
    expect(await probe(httpProbe(port, { body: "^all well$" }))).toBe("pass");
  }
});

test("createProber() http sends the path as it is written", async () => {
  const paths: (string | undefined)[] = [];
  const settings = await http((req, res) => {
    paths.push(req.url);
    res.end();
  });
  const origin = new URL(settings.url).origin;
  for (const path of ["/a%2e%2e/%2e%2e/b?x=%zz", ""]) await probe({ ...settings, url: `${origin}${path}` });
  expect(paths).toEqual(["/a%2e%2e/%2e%2e/b?x=%zz", "/"]);
});

test("createProber() http asks no proxy of the environment", async () => {
  const asked: string[] = [];
  const proxy = await http((req, res) => {
    asked.push(req.url ?? "");
    res.end();
  });
  const { port } = new URL(proxy.url);
  const target = await http((_, res) => res.writeHead(204).end());
  const script = `
    import { systemClock } from "@datawire/runtime";
    import { createLookup } from ${JSON.stringify(new URL("../machine/lookup.ts", import.meta.url).href)};
    import { createTrafficLookup } from ${JSON.stringify(new URL("../machine/traffic-lookup.ts", import.meta.url).href)};
    import { createProber } from ${JSON.stringify(new URL("create-prober.ts", import.meta.url).href)};
    const lookup = createLookup({ clock: systemClock });
    const deps = { env: {}, lookup, trafficLookup: createTrafficLookup(lookup) };
    const settings = ${JSON.stringify({ ...target, status: [[204, 204]] })};
    console.log((await createProber(settings, deps).probe(new AbortController().signal)).ok);
  `;
  const url = `http://127.0.0.1:${port}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    env: { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, ALL_PROXY: url, NODE_USE_ENV_PROXY: "1" },
  });
  expect({ stdout: stdout.trim(), asked }).toEqual({ stdout: "true", asked: [] });
});

/** An instance that listens on ::1 alone, at a name that has 127.0.0.1 too. */
async function onIpv6(): Promise<number> {
  const server = createServer((_, res) => res.end());
  const port = await closedPort();
  await new Promise<void>((resolve) => void server.listen(port, "::1", resolve));
  closing.push(() => void server.close());
  return port;
}

test("createProber() looks at the one address of a name that requests go to, and says so", async () => {
  const port = await onIpv6();
  const reason = `connection refused by localhost:${port} at 127.0.0.1, where requests go to; not to ::1`;
  const url = `http://localhost:${port}/`;
  expect(await probe(httpProbe(port, { url }))).toBe(reason);
  expect(await probe({ kind: "tcp", host: "localhost", port, asTraffic: true })).toBe(reason);
  expect(await probe(httpProbe(port, { url: `http://[::1]:${port}/` }))).toBe("pass");
});

test("createProber() tries every address of a name that requests do not go to", async () => {
  const port = await onIpv6();
  expect(await probe(httpProbe(port, { url: `http://localhost:${port}/`, asTraffic: false }))).toBe("pass");
});

const USUAL = { verify: true, serverName: null };
const trusting: ProberDeps = {
  ...deps,
  secureContext: createAuthorities(testAuthority, { clock: systemClock, files: [] }),
};

async function https(
  certificate: typeof goodCertificate | typeof expiredCertificate | typeof wrongCertificate,
): Promise<number> {
  return listen(createHttps({ ...certificate, ALPNProtocols: ["http/1.1"] }, (_, res) => res.end()));
}

test.each([
  ["one that is good", goodCertificate, USUAL, trusting, "pass"],
  ["one of an authority that nobody knows", goodCertificate, USUAL, deps, "unable to verify"],
  ["one that has expired", expiredCertificate, USUAL, trusting, "certificate has expired"],
  ["one of another name", wrongCertificate, USUAL, trusting, "does not match"],
  [
    "one of the name that is asked for",
    wrongCertificate,
    { verify: true, serverName: "other.example" },
    trusting,
    "pass",
  ],
  ["any, where none is verified", expiredCertificate, { verify: false, serverName: null }, deps, "pass"],
])("createProber() https: %s", async (_, certificate, tls, network, expected) => {
  const port = await https(certificate);
  const settings = httpProbe(port, { url: `https://localhost:${port}/`, tls });
  const result = await createProber(settings, network).probe(new AbortController().signal);
  expect(result.ok ? "pass" : result.reason).toContain(expected);
});

test("createProber() h2 over TLS wants HTTP/2 to be agreed on, as HAProxy does", async () => {
  const port = await https(goodCertificate);
  const settings = httpProbe(port, { url: `https://localhost:${port}/`, http2: true });
  const result = await createProber(settings, trusting).probe(new AbortController().signal);
  expect(result.ok ? "pass" : result.reason).toMatch(/no application protocol|by ALPN/);
});

test("createProber() http ends when it is aborted", async () => {
  const settings = await http(() => {});
  const stop = new AbortController();
  const ended = probe(settings, stop.signal);
  stop.abort();
  await ended;
});

test("createProber() tcp passes when a connection opens", async () => {
  const port = await listen(createTcp((socket) => socket.on("error", () => {})));
  expect(await probe({ kind: "tcp", host: "localhost", port, asTraffic: false })).toBe("pass");
});

test("createProber() tcp tells a refused connection", async () => {
  const port = await closedPort();
  expect(await probe({ kind: "tcp", host: "127.0.0.1", port, asTraffic: true })).toBe(
    `connection refused by 127.0.0.1:${port}`,
  );
});

test("createProber() exec passes on exit code 0, and gives the last line of a failure", async () => {
  expect(await probe({ kind: "exec", command: ["/bin/true"] })).toBe("pass");
  const reason = await probe({ kind: "exec", command: ["/bin/sh", "-c", "echo one; echo disk full >&2; exit 3"] });
  expect(reason).toBe("exit code 3 from /bin/sh: disk full");
});

test("createProber() exec tells a program that is not there", async () => {
  expect(await probe({ kind: "exec", command: ["/no/such/program"] })).toBe(
    "cannot run /no/such/program: no such file or folder",
  );
});

test("createProber() exec tells that no file descriptor is left, and Watson goes on", async () => {
  const script = `
    import { openSync } from "node:fs";
    import { createProber } from ${JSON.stringify(new URL("create-prober.ts", import.meta.url).href)};
    const prober = createProber({ kind: "exec", command: ["/bin/true"] }, { env: {} });
    try { for (;;) openSync("/dev/null"); } catch {}
    console.log((await prober.probe(new AbortController().signal)).reason);
    await new Promise(setImmediate);
  `;
  const args = ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)("/bin/sh", args);
  expect(stdout).toMatch(/^cannot run \/bin\/true: too many open files/);
});

test("createProber() exec passes no secret on, and no shell reads the command", async () => {
  const script = `process.exit(process.env.DATAWIRE_TOKEN === undefined && process.argv[1] === "$HOME;" ? 0 : 1)`;
  const prober = createProber(
    { kind: "exec", command: [process.execPath, "-e", script, "$HOME;"] },
    { ...deps, env: { ...process.env, DATAWIRE_TOKEN: "secret" } },
  );
  expect(await prober.probe(new AbortController().signal)).toEqual({ ok: true });
});

test("createProber() exec kills a program with its children when it is aborted", async () => {
  const stop = new AbortController();
  const ended = probe({ kind: "exec", command: ["/bin/sh", "-c", "sleep 1000 & sleep 1000"] }, stop.signal);
  setImmediate(() => stop.abort());
  expect(await ended).toContain("killed by SIGKILL");
});

test("createProber() exec does not wait for a reader of much output", async () => {
  const command = ["/bin/sh", "-c", "head -c 1000000 /dev/zero; exit 1"] as const;
  expect(await probe({ kind: "exec", command: [...command] })).toContain("exit code 1 from /bin/sh");
});

async function http2(answer: (stream: ServerHttp2Stream, path: string) => void): Promise<number> {
  const server = createHttp2();
  server.on("stream", (stream, headers) => answer(stream, String(headers[":path"])));
  return listen(server);
}

test("createProber() http over HTTP/2 with prior knowledge", async () => {
  const port = await http2((stream, path) => {
    stream.respond({ ":status": path === "/liveness_check" ? 200 : 404 });
    stream.end("ok");
  });
  expect(await probe(httpProbe(port, { http2: true, body: "ok" }))).toBe("pass");
  const elsewhere = httpProbe(port, { http2: true, url: `http://127.0.0.1:${port}/x` });
  expect(await probe(elsewhere)).toBe("404 from GET /x, wanted 200-299");
  const closed = await closedPort();
  expect(await probe(httpProbe(closed, { http2: true }))).toBe(`connection refused by 127.0.0.1:${closed}`);
});

test("createProber() http over HTTP/2 takes as many headers as HAProxy, and lets nothing be pushed", async () => {
  const mayPush: boolean[] = [];
  const port = await http2((stream) => {
    mayPush.push(stream.pushAllowed);
    const many = Array.from({ length: 500 }, (_, i): [string, string] => [`x-${i}`, "1"]);
    stream.respond({ ":status": 200, ...Object.fromEntries(many) });
    stream.end();
  });
  expect(await probe(httpProbe(port, { http2: true }))).toBe("pass");
  expect(mayPush).toEqual([false]);
});

const PLAIN = { secure: false, tls: { verify: true, serverName: null }, asTraffic: true } as const;
const SERVING = Buffer.from("00000000020801", "hex");
const NOT_SERVING = Buffer.from("00000000020802", "hex");

test.each([
  ["SERVING passes", SERVING, "0", "pass"],
  ["NOT_SERVING fails", NOT_SERVING, "0", 'NOT_SERVING from the gRPC health check of "r.v1.R", wanted SERVING'],
  ["an error fails", Buffer.alloc(0), "5", 'gRPC status 5 (nobody) for "r.v1.R", wanted 0'],
])("createProber() grpc: %s", async (_, body, status, expected) => {
  const port = await http2((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status, "grpc-message": "nobody" }));
    stream.end(body);
  });
  const settings: GrpcProbe = { kind: "grpc", host: "127.0.0.1", port, service: "r.v1.R", ...PLAIN };
  expect(await probe(settings)).toBe(expected);
});
