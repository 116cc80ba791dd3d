import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { describeError } from "../errors/describe-error.ts";

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** Why a text holds no certificates in PEM; null when it does. */
export function whyNoCertificates(text: string): string | null {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0)
    return `it holds no certificate, wanted PEM with a line -----BEGIN CERTIFICATE-----${insteadOf(text)}`;
  for (const [index, pem] of found.entries()) {
    const read = attempt(() => new X509Certificate(pem));
    if (!read.ok) return `its certificate ${index + 1} of ${found.length} cannot be read: ${read.why}`;
  }
  return null;
}

/** Why a text is no private key in PEM, or not that of the first certificate of `certificates`; null when it is. */
export function whyNotKeyOf(certificates: string, text: string): string | null {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return `it holds no key, wanted PEM with a line -----BEGIN PRIVATE KEY-----${insteadOf(text)}`;
  if (/ENCRYPTED/.test(text)) return "it is encrypted with a passphrase, wanted one without";
  const key = attempt((): KeyObject => createPrivateKey(text));
  if (!key.ok) return `its key cannot be read: ${key.why}`;
  const certificate = attempt(() => new X509Certificate(certificates));
  return certificate.ok && !certificate.value.checkPrivateKey(key.value)
    ? "it is not the key of the certificate"
    : null;
}

/** A key is often given for a certificate, and the other way round. */
function insteadOf(text: string): string {
  const kind = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
  return kind === undefined ? "" : ` and found ${kind}`;
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    return { ok: false, why: describeError(error) };
  }
}
