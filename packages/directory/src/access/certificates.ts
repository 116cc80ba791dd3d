import { createSecureContext } from "node:tls";
import {
  type Clock,
  explainSystemError,
  type Logger,
  type ProblemBoard,
  readTextFile,
  whyNoCertificates,
  whyNotKeyOf,
} from "@datawire/runtime";
import type { AuthorityRecord } from "../store/token-record.ts";
import type { IssuedCertificate } from "@datawire/http/authority";

/** What a TLS server shows, and asks of its clients; in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** Verifies the certificates that clients must have; null when they need none. */
  readonly clientCa: string | null;
}

/** Where the certificate comes from that a server should show now. Gives the same object while it is the same. */
export type CertificateSource = (nowMs: number) => Promise<ServerCertificate>;

/** Files with certificates of one's own. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | null;
}

/** Files and the end of certificates are looked at this often. */
const LOOK_MS = 10_000;
/** Those that encrypt and authenticate in one (AEAD) and keep no key for later; Node's own list has older ones for TLS 1.2. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** A certificate is replaced when this share of its time is over. */
const RENEW_AFTER = 2 / 3;

/** Certificates of the directory's own authority, each replaced long before it ends. */
export function ownCertificates(authority: AuthorityRecord, names: readonly string[]): CertificateSource {
  let current: { readonly shown: ServerCertificate; readonly renewAtMs: number } | null = null;
  return async (nowMs) => {
    if (current !== null && nowMs < current.renewAtMs) return current.shown;
    // Its library is large, and only a directory with an authority of its own needs it.
    const { issueCertificate } = await import("@datawire/http/authority");
    const issued = await issueCertificate(authority, names, nowMs);
    current = { shown: { cert: issued.cert, key: issued.key, clientCa: null }, renewAtMs: renewalOf(issued, nowMs) };
    return current.shown;
  };
}

/** Certificates that somebody else puts into files; read anew whenever they are looked at. */
export function filedCertificates(files: CertificateFiles): CertificateSource {
  let current: ServerCertificate | null = null;
  return async () => {
    const read: ServerCertificate = {
      cert: await readPem(files.cert),
      key: await readPem(files.key),
      clientCa: files.clientCa === null ? null : await readPem(files.clientCa),
    };
    if (current !== null && isSame(current, read)) return current;
    const unusable = whyUnusable(read);
    if (unusable !== null)
      throw new Error(`Cannot use the certificate ${files.cert} with the key ${files.key}: ${unusable}`);
    const why = read.clientCa === null ? null : whyNoCertificates(read.clientCa);
    // Node.js would take it, and then let nobody in.
    if (why !== null) throw new Error(`Cannot use ${files.clientCa} as the authority of clients: ${why}`);
    current = read;
    return read;
  };
}

/** In words alone: beside them, those of OpenSSL would say it again. */
function whyUnusable(read: ServerCertificate): string | null {
  try {
    createSecureContext(tlsOptions(read));
    return null;
  } catch (error) {
    return whyNoCertificates(read.cert) ?? whyNotKeyOf(read.cert, read.key) ?? explainSystemError(error);
  }
}

/** A server's certificate as options of Node's secure contexts. */
export function tlsOptions({ cert, key, clientCa }: ServerCertificate) {
  return { cert, key, ciphers: CIPHERS, ...(clientCa === null ? {} : { ca: clientCa }) };
}

interface KeeperDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What is wrong with the directory as a whole. */
  readonly board: Pick<ProblemBoard, "set">;
  /** Makes the server show it to those who connect from now on. */
  readonly show: (certificate: ServerCertificate) => void;
}

/** Shows the certificate of a source, and the next one when there is one. */
export class CertificateKeeper {
  readonly #source: CertificateSource;
  readonly #deps: KeeperDeps;
  #shown: ServerCertificate | null = null;
  #complaint: string | null = null;

  constructor(source: CertificateSource, deps: KeeperDeps) {
    this.#source = source;
    this.#deps = deps;
  }

  /** Shows the first certificate. @throws Error when there is none that can be used. */
  async start(): Promise<void> {
    this.#shown = await this.#source(this.#deps.clock.nowMs());
    this.#deps.show(this.#shown);
  }

  /** Looks whether there is another one; when that cannot be used, the old one stays and the log says why, once. */
  async look(): Promise<void> {
    const { clock, log, board, show } = this.#deps;
    try {
      const next = await this.#source(clock.nowMs());
      this.#complaint = null;
      board.set("certificate", []);
      if (next === this.#shown) return;
      this.#shown = next;
      show(next);
      log.info("Certificate replaced");
    } catch (error) {
      const complaint = error instanceof Error ? error.message : String(error);
      if (complaint !== this.#complaint) log.error("Certificate not replaced, the old one stays", { error });
      this.#complaint = complaint;
      const message = `not replaced, the old one stays: ${complaint}`;
      const remedy = "put a certificate and its key into the files that `tls` names; they are looked at every minute";
      board.set("certificate", [{ subject: "certificate", message, severity: "error", remedy }]);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.look();
    }
  }
}

function renewalOf({ notAfterMs }: IssuedCertificate, issuedMs: number): number {
  return issuedMs + RENEW_AFTER * (notAfterMs - issuedMs);
}

async function readPem(file: string): Promise<string> {
  const read = await readTextFile(file);
  if (read.state === "read") return read.text;
  throw new Error(`Cannot use ${file}: ${read.problem.message}`);
}

function isSame(a: ServerCertificate, b: ServerCertificate): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}
