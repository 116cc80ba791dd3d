import { createServer as createPlainServer, type Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { authorityCertificate, authorityFingerprint, serverCertificate, serverKey } from "../testing/certificates.ts";
import type { Proof } from "../credentials/tls.ts";
import { createExchange } from "./http-exchange.ts";
import { connectWebSocket } from "./web-socket.ts";

const SECRET = "a".repeat(43);
const pinned: Proof = { token: `dw1_${SECRET}_${authorityFingerprint}`, tls: null };
const foreign: Proof = { token: `dw1_${SECRET}_${"b".repeat(43)}`, tls: null };
const secure = { cert: serverCertificate, key: serverKey };

/** Serves, and tells which tokens came. */
async function serve(server: Server) {
  const tokens: (string | undefined)[] = [];
  server.on("request", (req, res) => {
    tokens.push(req.headers.authorization);
    res.end("{}");
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, req) => {
    tokens.push(req.headers.authorization);
    socket.close(1000, "seen");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const replica = { host: "127.0.0.1", port: (server.address() as AddressInfo).port, tls: null };
  const ask = async (proof: Proof, tls: boolean | null = null) => {
    const exchange = createExchange(proof);
    const headers = proof.token === null ? {} : { authorization: proof.token };
    const answer = await exchange.request({ ...replica, tls }, { method: "GET", path: "/", headers, body: null });
    await exchange.close();
    return answer;
  };
  const link = (proof: Proof): Promise<string> =>
    new Promise((resolve) => {
      const silent = { opened: () => {}, text: () => {}, alive: () => {} };
      connectWebSocket({ replica, ...proof }, { ...silent, closed: resolve });
    });
  return { tokens, ask, link };
}

test("a token with a fingerprint is all that it takes to verify the directory, whatever its address", async () => {
  const { tokens, ask, link } = await serve(createServer(secure));
  expect(await ask(pinned)).toMatchObject({ state: "answered", status: 200 });
  expect(await link(pinned)).toBe("seen");
  expect(tokens).toEqual([pinned.token, `Bearer ${pinned.token}`]);
});

test("a token is not sent to a server of another authority", async () => {
  const { tokens, ask, link } = await serve(createServer(secure));
  const reason = expect.stringContaining("is not of the authority that the token names") as string;
  expect(await ask(foreign)).toEqual({ state: "failed", reason, sent: false });
  expect(await link(foreign)).toEqual(reason);
  expect(tokens).toEqual([]);
});

test("a token with a fingerprint is not sent without TLS", async () => {
  const { tokens, ask, link } = await serve(createPlainServer());
  const reason = expect.stringContaining("it does not speak TLS") as string;
  expect(await ask(pinned, false)).toEqual({ state: "failed", reason, sent: false });
  expect(await link(pinned)).toEqual(reason);
  expect(tokens).toEqual([]);
});

test("wss:// without any of the directory's proofs says what is wanted", async () => {
  const { ask } = await serve(createServer(secure));
  const reason = expect.stringContaining("wanted one of its tokens (DATAWIRE_TOKEN or token_file)") as string;
  expect(await ask({ token: null, tls: null }, true)).toMatchObject({ state: "failed", reason });
});

test("an authority of one's own verifies names as well", async () => {
  const { ask } = await serve(createServer(secure));
  const own = { token: null, tls: { ca: authorityCertificate, cert: null, key: null } };
  const reason = expect.stringContaining("altnames") as string;
  expect(await ask(own)).toMatchObject({ state: "failed", reason });
});

test("a client shows its own certificate", async () => {
  const server = createServer({ ...secure, requestCert: true, rejectUnauthorized: false });
  const shown: boolean[] = [];
  server.on("secureConnection", (socket) => shown.push(socket.getPeerX509Certificate() !== undefined));
  const { ask } = await serve(server);
  await ask(pinned);
  await ask({ ...pinned, tls: { ca: null, cert: serverCertificate, key: serverKey } });
  expect(shown).toEqual([false, true]);
});
