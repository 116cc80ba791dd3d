import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { listenHttp } from "@datawire/http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authorityFingerprint } from "../store/fingerprint.ts";
import { type Guarded, serveGuarded } from "../testing/guarded.ts";
import { createAuthority, issueCertificate } from "@datawire/http/authority";
import { tlsOptions } from "./certificates.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await serveGuarded();
});
afterAll(() => guarded.stop());

test("probes are open to all, with TLS and without", async () => {
  expect((await guarded.ask("/healthz")).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${guarded.port}/readyz`)).status).toBe(200);
});

test("a WebSocket without TLS is told what to do", async () => {
  const headers = { upgrade: "websocket", connection: "upgrade" };
  const status = await new Promise<number>((resolve, reject) => {
    plainRequest({ host: "127.0.0.1", port: guarded.port, path: "/v1/link", headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(401);
});

test("the certificate is signed by the authority that tokens name, for the names that it is given", async () => {
  const authority = await createAuthority(Date.now(), "directory");
  expect(authorityFingerprint(authority)).toMatch(/^[\w-]{43}$/);
  const socket = connectTls({ host: "127.0.0.1", port: guarded.port, ca: guarded.ca });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  expect(socket.authorized).toBe(true);
  expect(socket.getPeerX509Certificate()?.checkHost("localhost")).toBe("localhost");
  expect((await guarded.create("admin")).token).toContain(authorityFingerprint({ certificate: guarded.ca, key: "" }));
  socket.destroy();
});

test("close() does not wait for those who say nothing", async () => {
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: false } },
    { request: () => {}, upgrade: () => {}, foreign: () => {}, failed: () => {}, tooManyConnections: () => {} },
  );
  const silent = connect(server.addresses[0]?.port ?? 0, "127.0.0.1");
  silent.on("error", () => {});
  await new Promise((resolve) => silent.once("connect", resolve));
  const cut = new Promise((resolve) => silent.once("close", () => resolve("cut")));
  await server.close();
  expect(await cut).toBe("cut");
});

test("with client_ca, clients without a certificate of that authority do not get in", async () => {
  const authority = await createAuthority(Date.now(), "directory");
  const issued = await issueCertificate(authority, ["localhost"], Date.now());
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: true } },
    {
      request: (_req, res) => res.end("in"),
      upgrade: () => {},
      foreign: () => {},
      failed: () => {},
      tooManyConnections: () => {},
    },
  );
  server.setCertificate(tlsOptions({ ...issued, clientCa: authority.certificate }));
  const status = (own: object): Promise<number | string> =>
    new Promise((resolve) => {
      const options = {
        host: "127.0.0.1",
        port: server.addresses[0]?.port,
        ca: authority.certificate,
        servername: "localhost",
      };
      request({ ...options, ...own }, (response) => resolve(response.resume().statusCode ?? 0))
        .on("error", (error) => resolve(error.message))
        .end();
    });
  expect(await status({})).toContain("certificate required");
  const other = await issueCertificate(await createAuthority(Date.now(), "directory"), ["localhost"], Date.now());
  expect(await status({ cert: other.cert, key: other.key })).not.toBe(200);
  await server.close();
});

test.each([
  ["ECDHE-ECDSA-AES128-GCM-SHA256", true],
  ["ECDHE-ECDSA-CHACHA20-POLY1305", true],
  ["ECDHE-ECDSA-AES128-SHA", false],
  ["ECDHE-ECDSA-AES256-SHA384", false],
])("over TLS 1.2 a directory takes %s: %s", async (ciphers, isTaken) => {
  const authority = await createAuthority(Date.now(), "directory");
  const issued = await issueCertificate(authority, ["localhost"], Date.now());
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: false } },
    {
      request: (_req, res) => res.end("in"),
      upgrade: () => {},
      foreign: () => {},
      failed: () => {},
      tooManyConnections: () => {},
    },
  );
  server.setCertificate(tlsOptions({ ...issued, clientCa: null }));
  const { port = 0 } = server.addresses[0] ?? {};
  const taken = await new Promise<boolean>((resolve) => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      ca: authority.certificate,
      servername: "localhost",
      maxVersion: "TLSv1.2",
      ciphers,
    });
    socket.on("secureConnect", () => resolve(socket.getCipher().name === ciphers)).on("error", () => resolve(false));
    socket.on("secureConnect", () => socket.destroy());
  });
  expect(taken).toBe(isTaken);
  await server.close();
});
