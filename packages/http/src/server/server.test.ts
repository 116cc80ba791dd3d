import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "@datawire/runtime/testing";
import { afterEach, expect, test } from "vitest";
import { type HttpConfig, type HttpServer, listenHttp } from "./server.ts";

let server: HttpServer | null = null;
afterEach(() => server?.close());

const foreign: string[] = [];
const crowded: (string | null)[] = [];
async function listen(over: Partial<HttpConfig> = {}): Promise<number> {
  foreign.length = 0;
  crowded.length = 0;
  server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: ["localhost"], ...over },
    {
      request: (_, res) => res.end("in"),
      upgrade: () => {},
      foreign: (reason) => foreign.push(reason),
      failed: () => {},
      tooManyConnections: (reason) => crowded.push(reason),
    },
  );
  return server.addresses[0]?.port ?? 0;
}

/** Asks for a WebSocket and cuts the connection before the answer can arrive. */
async function askAndReset(port: number, host: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`GET /v1/link HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
}

// A connection that fails with nobody listening ends the process: vitest then fails the run.
test.each<[string, Partial<HttpConfig>, string]>([
  ["that a web page sent", {}, "evil.example"],
  ["that nobody takes up", {}, "localhost"],
  ["without TLS, where TLS is wanted", { tls: { clientCertificates: false } }, "localhost"],
])("listenHttp() outlives an upgrade %s and whose sender vanishes", async (_, config, host) => {
  const port = await listen(config);
  for (let round = 0; round < 5; round++) await askAndReset(port, host);
  const probe = connect(port, "127.0.0.1");
  await once(probe, "connect");
  probe.end("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const [answer] = (await once(probe, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
  expect(foreign.length > 0).toBe(host === "evil.example");
});

test("listenHttp() lets pages of other sites read what is open, and nothing else", async () => {
  const port = await listen({ openBelow: "/console/" });
  const ask = async (path: string, method = "GET", more: string[] = []): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    const head = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Origin: https://ops.example", ...more, "", ""];
    socket.end(head.join("\r\n"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString().slice(9, 12);
  };
  expect(await ask("/console/assets/console.js")).toBe("200");
  expect(await ask("/v1/session")).toBe("403");
  expect(await ask("/console/", "POST", ["Content-Length: 0"])).toBe("403");
  expect(await ask("/console/", "GET", ["Connection: Upgrade", "Upgrade: websocket"])).toBe("403");
});

const nobody = () => false;

test("listenHttp() refuses connections of an address beyond its bound with a reason, until some have ended", async () => {
  const port = await listen({ perAddress: { max: 2, exempt: nobody } });
  const open = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  await Promise.all(open.map((one) => once(one, "connect")));
  const ask = async (): Promise<string> => {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    return Buffer.concat(parts).toString();
  };
  const bound = "2 connections are open from 127.0.0.1, which is the bound for one address";
  const refused = await ask();
  expect(refused).toMatch(/^HTTP\/1\.1 429 /);
  expect(refused).toContain(bound);
  expect(await ask()).toMatch(/^HTTP\/1\.1 429 /);
  expect(crowded).toEqual([bound, null]);
  open[0]?.destroy();
  await eventually(async () => expect(await ask()).toMatch(/^HTTP\/1\.1 200 /));
  open[1]?.destroy();
});

test("listenHttp() cuts connections beyond the bound where TLS is spoken, before the handshake", async () => {
  const port = await listen({ perAddress: { max: 0, exempt: nobody }, tls: { clientCertificates: false } });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "close");
  expect(crowded).toHaveLength(1);
});

test("listenHttp() exempts those it is told to", async () => {
  const port = await listen({ perAddress: { max: 0, exempt: (address) => address === "127.0.0.1" } });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(crowded).toEqual([]);
});
