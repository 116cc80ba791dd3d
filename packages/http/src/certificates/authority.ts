import "reflect-metadata"; // the library builds on it, and leaves bringing it to us
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
/** Tokens name the authority, so it outlives them all. */
const AUTHORITY_DAYS = 30 * 365;
/** Browsers and other clients refuse certificates of servers that hold much longer. */
const CERTIFICATE_DAYS = 90;
/** For clients whose clock is behind. */
const BACKDATED_MS = 3_600_000;

/** A certificate of a server with its key; both in PEM, and the certificate followed by that of its authority. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  readonly notAfterMs: number;
}

/** The certificate of an authority and its key, both in PEM. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority that signs for one daemon alone, which it is named after. */
export async function createAuthority(nowMs: number, daemon: string): Promise<Authority> {
  const keys = await createKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Datawire ${daemon} authority`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

/** Signs a certificate for a server that is reached by these names and addresses. */
export async function issueCertificate(
  authority: Authority,
  names: readonly string[],
  nowMs: number,
): Promise<IssuedCertificate> {
  const keys = await createKeys();
  const subject = new Certificate(authority.certificate).subject.replace(/ authority$/, "");
  const signed = await sign(authority, { subject, names, publicKey: keys.publicKey }, nowMs);
  return { ...signed, key: await exportKey(keys.privateKey) };
}

/** Whom a certificate is for, whose key is elsewhere. */
export interface CertificateRequest {
  /** The common name. */
  readonly name: string;
  /** Names and addresses that it is reached by. */
  readonly names: readonly string[];
  /** ECDSA P-256, as PEM (SubjectPublicKeyInfo). */
  readonly publicKey: string;
}

/**
 * Signs a certificate for a server that keeps its key to itself. @returns PEM, followed by that of the authority.
 * @throws Error for what is no such key.
 */
export async function certifyKey(authority: Authority, request: CertificateRequest, nowMs: number): Promise<string> {
  const bytes = PemConverter.decodeFirst(request.publicKey);
  const publicKey = await crypto.subtle.importKey("spki", bytes, ALGORITHM, true, ["verify"]);
  return (await sign(authority, { subject: `CN=${request.name}`, names: request.names, publicKey }, nowMs)).cert;
}

interface Signing {
  readonly subject: string;
  readonly names: readonly string[];
  readonly publicKey: webcrypto.CryptoKey;
}

async function sign(
  authority: Authority,
  { subject, names, publicKey }: Signing,
  nowMs: number,
): Promise<Omit<IssuedCertificate, "key">> {
  const issuer = new Certificate(authority.certificate);
  const notAfterMs = Math.min(nowMs + CERTIFICATE_DAYS * DAY_MS, issuer.notAfter.getTime());
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer.subject,
    publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(notAfterMs),
    extensions: [
      new BasicConstraintsExtension(false),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
      ),
      await AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n${authority.certificate}\n`, notAfterMs };
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(pem), ALGORITHM, false, ["sign"]);
}
