import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createExchange } from "./http-exchange.ts";

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const exchange = createExchange({ token: null, tls: null });
  onTestFinished(async () => {
    await exchange.close();
    server.close();
    server.closeAllConnections();
  });
  return { exchange, directory: { host: "127.0.0.1", port: (server.address() as AddressInfo).port, tls: null } };
}

const read = { method: "GET", path: "/v1/status?x=1", headers: {}, body: null };

test("createExchange() sends method, path, headers and body, and brings the answer", async () => {
  const { exchange, directory } = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () =>
      response.writeHead(409).end(`${request.method} ${request.url} ${request.headers["content-type"]} ${body}`),
    );
  });
  const answer = await exchange.request(directory, { ...read, method: "DELETE", body: '{"ü":1}' });
  expect(answer).toEqual({
    state: "answered",
    status: 409,
    body: 'DELETE /v1/status?x=1 application/json {"ü":1}',
  });
});

test("createExchange() says that a change may have been made when the answer is cut", async () => {
  const { exchange, directory } = await serve((request, response) => {
    response.writeHead(200, { "content-length": 10 }).write("half");
    setImmediate(() => request.socket.destroy());
  });
  expect(await exchange.request(directory, { ...read, method: "POST", body: "{}" })).toMatchObject({
    state: "failed",
    sent: true,
  });
});

test("createExchange() says that nothing was sent where nobody listens", async () => {
  const { exchange } = await serve(() => {});
  expect(await exchange.request({ host: "127.0.0.1", port: 1, tls: null }, read)).toEqual({
    state: "failed",
    reason: "connection refused: nothing listens there",
    sent: false,
  });
});

test("createExchange() says that a name does not resolve", async () => {
  const { exchange } = await serve(() => {});
  const answer = await exchange.request({ host: "no-such-host.invalid", port: 1, tls: null }, read);
  expect(answer).toMatchObject({ state: "failed", reason: expect.stringContaining("resolve") as string, sent: false });
});

test("createExchange() fails with what is wrong when its certificates are of no use", async () => {
  const exchange = createExchange({ token: null, tls: { ca: null, cert: "no PEM", key: "nor this" } });
  expect(await exchange.request({ host: "127.0.0.1", port: 1, tls: true }, read)).toEqual({
    state: "failed",
    reason: expect.stringMatching(/^Cannot use what is in tls.cert, tls.key: /) as string,
    sent: false,
  });
});
