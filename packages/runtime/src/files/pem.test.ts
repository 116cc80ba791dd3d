import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { authority, certificate, key } from "../testing/etcd-certificates.ts";
import { whyNoCertificates, whyNotKeyOf } from "./pem.ts";

const { privateKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const otherKey = other.export({ type: "pkcs8", format: "pem" }) as string;
const locked = other.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) as string;

test.each([
  ["garbage", "it holds no certificate, wanted PEM with a line -----BEGIN CERTIFICATE-----"],
  [key, "it holds no certificate, wanted PEM with a line -----BEGIN CERTIFICATE----- and found PRIVATE KEY"],
  [certificate.replace(/MII/, "AAA"), "its certificate 1 of 1 cannot be read"],
  [authority + certificate.replace(/MII/, "AAA"), "its certificate 2 of 2 cannot be read"],
])("whyNoCertificates() says what is wrong with %o", (text, why) => {
  const said = whyNoCertificates(text);
  expect(said).toContain(why);
  expect(said).not.toMatch(/error:|routines/);
});

test("whyNoCertificates() takes certificates with text around them", () => {
  expect(whyNoCertificates(`# of ours\n${authority}\n${certificate}`)).toBeNull();
});

test.each([
  ["garbage", "it holds no key, wanted PEM with a line -----BEGIN PRIVATE KEY-----"],
  [certificate, "and found CERTIFICATE"],
  [key.replace(/MI/, "AA"), "its key cannot be read"],
  [locked, "it is encrypted with a passphrase, wanted one without"],
  [otherKey, "it is not the key of the certificate"],
])("whyNotKeyOf() says what is wrong with %o", (text, why) => {
  const said = whyNotKeyOf(certificate, text);
  expect(said).toContain(why);
  expect(said).not.toMatch(/error:|routines/);
});

test("whyNotKeyOf() takes the key of the certificate", () => {
  expect(whyNotKeyOf(certificate, key)).toBeNull();
});
