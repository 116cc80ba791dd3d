import { writeFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { ROLES } from "@datawire/protocol";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listenHttp } from "@datawire/http";
import { type Guarded, type Question, serveGuarded } from "../testing/guarded.ts";
import { createAuthority, issueCertificate } from "./authority.ts";
import { CertificateKeeper, filedCertificates, ownCertificates, tlsOptions } from "./certificates.ts";
import { authorityFingerprint } from "../store/fingerprint.ts";

let guarded: Guarded;
const tokens = new Map<string, string>();

beforeAll(async () => {
  guarded = await serveGuarded();
  for (const role of ROLES) tokens.set(role, (await guarded.create(role)).token);
  tokens.set("acme", (await guarded.create("admin", { tenant: "acme" })).token);
});
afterAll(() => guarded.stop());

async function ask(path: string, question: Question = {}) {
  const answer = await guarded.ask(path, question);
  return { ...answer, body: String(answer.body) };
}

// By role: what it may read, change, administer. 401 and 403 come before anything is looked at.
test.each([
  ["client", 403, 403, 403],
  ["router", 403, 403, 403],
  ["viewer", 200, 403, 403],
  ["library", 403, 403, 403],
  ["watson", 403, 403, 403],
  ["sherlock", 200, 403, 403],
  ["operator", 200, 404, 403],
  ["admin", 200, 404, 200],
])("a token of role %s may read (%i), change (%i) and administer (%i)", async (role, read, change, administer) => {
  const token = tokens.get(role) ?? "";
  expect((await ask("/v1/routes", { token })).status).toBe(read);
  expect((await ask("/metrics", { token })).status).toBe(read);
  expect((await ask("/v1/backup", { token })).status).toBe(administer);
  expect((await ask("/v1/tokens", { token })).status).toBe(administer);
  const changed = await ask("/v1/services/none/promote", { token, method: "POST", body: { generation: "1" } });
  expect(changed.status).toBe(change);
});

test("a tenant sees no metrics, as they tell of all", async () => {
  const answer = await ask("/metrics", { token: tokens.get("acme") ?? "" });
  expect(answer).toMatchObject({ status: 403 });
});

test("what becomes of tokens is in the history, with who did it, and cannot be undone", async () => {
  const admin = tokens.get("admin") ?? "";
  const body = { role: "watson", services: ["billing-*"], tenant: null, expires: null };
  const { id } = JSON.parse((await ask("/v1/tokens", { token: admin, method: "POST", body })).body) as { id: string };
  await ask(`/v1/tokens/${id}`, { token: admin, method: "DELETE" });
  const { history } = JSON.parse((await ask("/v1/routes/history", { token: admin })).body) as { history: unknown[] };
  const who = expect.stringMatching(/^admin token /) as string;
  expect(history.slice(0, 2)).toMatchObject([
    { action: `token ${id} revoked: role watson, services billing-*`, who, verified: true },
    { action: `token ${id} created: role watson, services billing-*`, who, verified: true },
  ]);
  expect((await ask("/v1/routes/undo", { token: admin, method: "POST", body: {} })).status).toBe(409);
});

test("probes are open to all, with TLS and without", async () => {
  expect((await ask("/healthz")).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${guarded.port}/readyz`)).status).toBe(200);
});

test("no token is 401 with how to have one, and a flood of them 429; a token that holds is taken all the same", async () => {
  const first = await ask("/v1/routes");
  expect(first).toMatchObject({ status: 401, headers: { "www-authenticate": 'Bearer realm="datawire"' } });
  expect(first.body).toContain("DATAWIRE_TOKEN");
  const statuses: number[] = [];
  for (let i = 0; i < 30; i++) statuses.push((await ask("/v1/routes", { token: "dw1_x" })).status);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect((await ask("/v1/routes", { token: tokens.get("admin") ?? "" })).status).toBe(200);
  const metrics = await ask("/metrics", { token: tokens.get("admin") ?? "" });
  expect(metrics.body).toMatch(/datawire_directory_refusals_total\{[^}]*code="unauthenticated"[^}]*\} \d+/);
});

test("a token in a URL is no token", async () => {
  expect((await ask(`/v1/routes?token=${tokens.get("admin")}`)).status).not.toBe(200);
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
  const authority = await createAuthority(Date.now());
  expect(authorityFingerprint(authority)).toMatch(/^[\w-]{43}$/);
  const socket = connectTls({ host: "127.0.0.1", port: guarded.port, ca: guarded.ca });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  expect(socket.authorized).toBe(true);
  expect(socket.getPeerX509Certificate()?.checkHost("localhost")).toBe("localhost");
  expect(tokens.get("admin")).toContain(authorityFingerprint({ certificate: guarded.ca, key: "" }));
  socket.destroy();
});

test("close() does not wait for those who say nothing", async () => {
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: false } },
    { request: () => {}, upgrade: () => {}, foreign: () => {}, failed: () => {}, crowded: () => {} },
  );
  const silent = connect(server.addresses[0]?.port ?? 0, "127.0.0.1");
  silent.on("error", () => {});
  await new Promise((resolve) => silent.once("connect", resolve));
  const cut = new Promise((resolve) => silent.once("close", () => resolve("cut")));
  await server.close();
  expect(await cut).toBe("cut");
});

test("ownCertificates() gives a new one when two thirds of the time are over", async () => {
  const startMs = Date.now();
  const source = ownCertificates(await createAuthority(startMs), ["localhost"]);
  const first = await source(startMs);
  const day = 86_400_000;
  expect(await source(startMs + 59 * day)).toBe(first);
  expect(await source(startMs + 61 * day)).not.toBe(first);
});

test("CertificateKeeper shows what is put into its files, and keeps the old one while that cannot be used", async () => {
  const authority = await createAuthority(Date.now());
  const clock = createFakeClock();
  const files = { cert: join(guarded.folder, "cert.pem"), key: join(guarded.folder, "key.pem"), clientCa: null };
  const put = async (): Promise<string> => {
    const { cert, key } = await issueCertificate(authority, ["localhost"], Date.now());
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    return cert;
  };
  const shown: string[] = [];
  const board = new ProblemBoard();
  const first = await put();
  const show = ({ cert }: { readonly cert: string }) => void shown.push(cert);
  const keeper = new CertificateKeeper(filedCertificates(files), { clock, log: noLog, board, show });
  await keeper.start();
  await keeper.look();
  expect(shown).toEqual([first]);
  await writeFile(files.key, "no key");
  await keeper.look();
  expect(shown).toEqual([first]);
  expect(board.list()).toMatchObject([{ subject: "certificate", severity: "error" }]);
  const second = await put();
  await keeper.look();
  expect(shown).toEqual([first, second]);
  expect(board.list()).toEqual([]);
});

test("with client_ca, clients without a certificate of that authority do not get in", async () => {
  const authority = await createAuthority(Date.now());
  const issued = await issueCertificate(authority, ["localhost"], Date.now());
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: true } },
    {
      request: (_req, res) => res.end("in"),
      upgrade: () => {},
      foreign: () => {},
      failed: () => {},
      crowded: () => {},
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
  const other = await issueCertificate(await createAuthority(Date.now()), ["localhost"], Date.now());
  expect(await status({ cert: other.cert, key: other.key })).not.toBe(200);
  await server.close();
});

test.each([
  ["ECDHE-ECDSA-AES128-GCM-SHA256", true],
  ["ECDHE-ECDSA-CHACHA20-POLY1305", true],
  ["ECDHE-ECDSA-AES128-SHA", false],
  ["ECDHE-ECDSA-AES256-SHA384", false],
])("over TLS 1.2 a directory takes %s: %s", async (ciphers, isTaken) => {
  const authority = await createAuthority(Date.now());
  const issued = await issueCertificate(authority, ["localhost"], Date.now());
  const server = await listenHttp(
    { addresses: [{ host: "127.0.0.1", port: 0 }], setting: "--port", names: [], tls: { clientCertificates: false } },
    {
      request: (_req, res) => res.end("in"),
      upgrade: () => {},
      foreign: () => {},
      failed: () => {},
      crowded: () => {},
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
