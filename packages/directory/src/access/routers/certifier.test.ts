import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { createAuthority } from "@datawire/http/authority";
import { connectRouter, createDirectoryClient } from "@datawire/link/client";
import { expect, onTestFinished, test } from "vitest";
import { authorityFingerprint } from "../../store/fingerprint.ts";
import { createCertifier } from "./certifier.ts";

const clock = { nowMs: () => Date.now() };
const FAR = "192.0.2.7"; // of no machine (RFC 5737)
const makeKeys = (namedCurve: string) =>
  generateKeyPairSync("ec", {
    namedCurve,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const { publicKey, privateKey } = makeKeys("P-256");
const authority = await createAuthority(Date.now(), "directory");
const own = ["services.example.com", "localhost", "10.0.0.1"];
const addresses = new Map([
  ["vm101.example.com", ["198.51.100.1", FAR]],
  ["bank.example.com", ["198.51.100.1"]],
]);
const resolve = async (host: string) => addresses.get(host.toLowerCase()) ?? [];
const signer = createCertifier({ clock, authority: async () => authority, own, resolve });
const certify = (request: Parameters<typeof signer>[0], from: string, hosts: readonly string[] | null = null) =>
  signer(request, { from, hosts });
const ask = (names: readonly string[], key: string = publicKey) => ({
  type: "certify" as const,
  publicKey: key,
  names: [...names],
});

const namesIn = (chain: string | null) => new X509Certificate(chain ?? "").subjectAltName;

test("createCertifier() signs for the address that a router comes from, and what resolves to it", async () => {
  const names = ["vm101.example.com", "10.0.0.1", FAR, "10.0.0.5", "bank.example.com", "vm102", "localhost"];
  const { chain, reason } = await certify(ask(names), `::ffff:${FAR}`);
  const certificate = new X509Certificate(chain ?? "");
  expect(certificate.subject).toBe("CN=Datawire router");
  expect(certificate.subjectAltName).toBe(`DNS:vm101.example.com, IP Address:${FAR}, DNS:localhost`);
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  expect(reason).toBe(
    `it is not for 10.0.0.1, 10.0.0.5, bank.example.com, vm102: wanted ${FAR}, which it comes from, names that resolve to that, or a token with --hosts`,
  );
});

test("createCertifier() signs for the machine that it is on itself, and for no other", async () => {
  // A router on the machine of the directory is reached by what that is reached by.
  const names = ["services.example.com", "10.0.0.1", hostname(), "bank.example.com", "192.0.2.9"];
  const { chain, reason } = await certify(ask(names), "127.0.0.1");
  expect(namesIn(chain)).toBe(`DNS:services.example.com, IP Address:10.0.0.1, DNS:${hostname()}`);
  expect(reason).toContain("it is not for bank.example.com, 192.0.2.9: wanted 127.0.0.1");
});

test("createCertifier() signs for what the token is for, wherever that resolves to, and for nothing else", async () => {
  const names = ["VM7.example.com", "vm101.example.com", FAR, "services.example.com", "127.0.0.1", "10.0.0.7"];
  const { chain, reason } = await certify(ask(names), FAR, ["vm7.*", "10.0.0.7", "*services*"]);
  expect(namesIn(chain)).toBe("DNS:VM7.example.com, IP Address:127.0.0.1, IP Address:10.0.0.7");
  expect(reason).toBe(
    `it is not for vm101.example.com, ${FAR}, services.example.com: its token is for vm7.*, 10.0.0.7, *services*`,
  );
});

test("createCertifier() looks up few names, and one at a time, however many are asked for", async () => {
  const looked: string[] = [];
  let [now, most] = [0, 0];
  const counting = createCertifier({
    clock,
    authority: async () => authority,
    own,
    async resolve(host) {
      looked.push(host);
      most = Math.max(most, ++now);
      await new Promise((done) => setImmediate(done));
      now--;
      return [FAR];
    },
  });
  const names = Array.from({ length: 64 }, (_, i) => `n${i}.example.com`);
  const asked = [1, 2, 3].map(() => counting(ask(names), { from: FAR, hosts: null }));
  const [first] = await Promise.all(asked);
  expect(looked).toEqual([1, 2, 3].flatMap(() => names.slice(0, 2)));
  expect(most).toBe(1);
  expect(namesIn(first?.chain ?? null)).toBe("DNS:n0.example.com, DNS:n1.example.com");
});

test.each([
  [ask(["services.example.com"]), "services.example.com is the directory's own name"],
  [ask(["Services.Example.com", "a"]), "is the directory's own name"],
  [ask(["bank.example.com", "a"]), "it is not for bank.example.com, a: wanted 192.0.2.7"],
  [ask(["a b"]), '"a b" is no host name, and no IP address'],
  [ask([FAR], "x"), "wanted ECDSA P-256 in PEM"],
  [ask([FAR], makeKeys("P-384").publicKey), "wanted ECDSA P-256 in PEM"],
])("createCertifier() says why it does not sign: %#", async (request, why) => {
  const { chain, reason } = await certify(request, FAR);
  expect(chain).toBe(null);
  expect(reason).toContain(why);
});

test("createCertifier() says that there is no authority", async () => {
  const none = createCertifier({ clock, authority: async () => null, own });
  expect((await none(ask(["a"]), { from: FAR, hosts: null })).reason).toContain("has no authority of its own");
});

test("a router is known by its certificate, and is no directory by it", async () => {
  const { chain } = await certify(ask(["vm101.example.com", "127.0.0.1"]), FAR);
  const server = createServer({ cert: chain ?? "", key: privateKey }, (_req, res) => res.end("{}"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const place = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const fingerprint = authorityFingerprint(authority);
  (await connectRouter(place, fingerprint)).destroy();
  await expect(connectRouter(place, "b".repeat(43))).rejects.toThrow("is not of the authority that the token names");
  const token = `dw1_${"a".repeat(43)}_${fingerprint}`;
  const tls = { ca: authority.certificate, cert: null, key: null };
  for (const proof of [
    { token, tls: null },
    { token: null, tls },
  ]) {
    const client = createDirectoryClient({ directories: [{ ...place, tls: true }], user: null, ...proof });
    await expect(client.exchange("GET", "/v1/services")).rejects.toThrow(/is that of a router, and no directory's/);
    await client.close();
  }
});
