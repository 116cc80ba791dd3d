import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAuthority } from "@datawire/http/authority";
import { connectRouter, createDirectoryClient } from "@datawire/link/client";
import { expect, onTestFinished, test } from "vitest";
import { authorityFingerprint } from "../store/fingerprint.ts";
import { createCertifier } from "./certificates.ts";

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
const certify = createCertifier({ clock, authority: async () => authority, own });
const ask = (names: readonly string[], key: string = publicKey) => ({
  type: "certify" as const,
  publicKey: key,
  names: [...names],
});

test("createCertifier() signs for the names of a router, but for those that are the directory's", async () => {
  const { chain } = await certify(ask(["vm101.example.com", "10.0.0.1", "10.0.0.5", "localhost"]), FAR);
  const certificate = new X509Certificate(chain ?? "");
  expect(certificate.subject).toBe("CN=Datawire router");
  expect(certificate.subjectAltName).toBe("DNS:vm101.example.com, IP Address:10.0.0.5, DNS:localhost");
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  // A router on the machine of the directory is reached by what that is reached by.
  const here = await certify(ask(["services.example.com", "10.0.0.1"]), "127.0.0.1");
  expect(new X509Certificate(here.chain ?? "").subjectAltName).toContain("services.example.com");
});

test.each([
  [ask(["services.example.com"]), "services.example.com is the directory's own name"],
  [ask(["Services.Example.com", "a"]), "is the directory's own name"],
  [ask(["a b"]), '"a b" is no host name, and no IP address'],
  [ask(["a"], "x"), "wanted ECDSA P-256 in PEM"],
  [ask(["a"], makeKeys("P-384").publicKey), "wanted ECDSA P-256 in PEM"],
])("createCertifier() says why it does not sign: %#", async (request, why) => {
  const { chain, reason } = await certify(request, FAR);
  expect(chain).toBe(null);
  expect(reason).toContain(why);
});

test("createCertifier() says that there is no authority", async () => {
  const none = createCertifier({ clock, authority: async () => null, own });
  expect((await none(ask(["a"]), FAR)).reason).toContain("has no authority of its own");
});

test("a router is known by its certificate, and is no directory by it", async () => {
  const { chain } = await certify(ask(["vm101", "127.0.0.1"]), FAR);
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
