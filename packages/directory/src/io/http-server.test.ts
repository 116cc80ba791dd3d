import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type HttpConfig, type HttpServer, listenHttp } from "./http-server.ts";

let server: HttpServer | null = null;
afterEach(() => server?.close());

const foreign: string[] = [];
async function listen(over: Partial<HttpConfig> = {}): Promise<number> {
  foreign.length = 0;
  server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: ["localhost"], ...over },
    { request: (_, res) => res.end("in"), upgrade: () => {}, foreign: (reason) => foreign.push(reason) },
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
