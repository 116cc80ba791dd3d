import { hostname } from "node:os";
import { join } from "node:path";
import type { Authority } from "@datawire/http/authority";
import { type Clock, describeError, type Logger, readTextFile, writeFileAtomically } from "@datawire/runtime";
import type { ShownTls } from "../config/shown-tls.ts";

/** What makes certificates takes a tenth of a start, and a router with `web: off`, or with `tls`, makes none. */
const certificates = () => import("@datawire/http/authority");

/** The authority's certificate, for browsers and others that are to trust the router. */
const CERTIFICATE = "ca.pem";
const KEY = "ca.key";

/** Where the router's own certificate is needed: under these names, as long as `tls` shows no other. */
export interface OwnCertificateConfig {
  readonly host: string;
  /** The folder of the authority. */
  readonly dataDir: string;
  readonly tls: Pick<ShownTls, "current"> | null;
}

/** What a certificate of the router's own is kept with. */
export interface OwnCertificateDeps {
  readonly clock: Pick<Clock, "nowMs" | "setTimer">;
  readonly log: Logger;
  /** Has the server show a certificate. */
  readonly set: (certificate: { readonly cert: string; readonly key: string }) => void;
}

/** Certificates of the router's own hold for 90 days; each is replaced long before. */
const RENEW_MS = 30 * 86_400_000;
const LOOK_MS = 3_600_000;

/**
 * Shows a certificate of the router's own authority, and another one in time, as long as there is no other.
 * @returns what ends that.
 * @throws Error that says what is wrong with the authority.
 */
export async function keepOwnCertificate(
  { host, dataDir, tls }: OwnCertificateConfig,
  { clock, log, set }: OwnCertificateDeps,
): Promise<() => void> {
  const authority = await openAuthority(dataDir, clock.nowMs());
  const names = [...new Set([host, hostname().toLowerCase(), "localhost", "127.0.0.1", "::1"])];
  let renewAtMs = 0;
  let cancel = (): void => {};
  const show = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    if ((tls?.current ?? null) !== null) return;
    if (nowMs >= renewAtMs) {
      const { issueCertificate } = await certificates();
      set(await issueCertificate(authority, names, nowMs));
      renewAtMs = nowMs + RENEW_MS;
    }
    cancel = clock.setTimer(LOOK_MS, () => {
      show().catch((error: unknown) => log.debug("Certificate not replaced", { error: describeError(error) }));
    });
  };
  await show();
  return () => cancel();
}

/**
 * The authority that a router without `tls` has made for itself, once, in its data folder: `ca.pem`, and `ca.key`.
 * @throws Error where the files cannot be read or written, or the key is missing.
 */
async function openAuthority(folder: string, nowMs: number): Promise<Authority> {
  const files = { certificate: join(folder, CERTIFICATE), key: join(folder, KEY) };
  const [certificate, key] = await Promise.all([readOrNull(files.certificate), readOrNull(files.key)]);
  if (certificate !== null && key !== null) return { certificate, key };
  // Those who trust the certificate would have to trust another one: nothing to do without a word.
  if (certificate !== null) {
    const remedy = "put it back, or remove both, for another authority that browsers have to trust anew";
    throw new Error(`Cannot use the authority ${files.certificate}: its key, ${files.key}, is missing; ${remedy}`);
  }
  const { createAuthority } = await certificates();
  const made = await createAuthority(nowMs, "router");
  await writeFileAtomically(files.key, `${made.key}\n`, { mode: 0o600 });
  await writeFileAtomically(files.certificate, `${made.certificate}\n`);
  return made;
}

async function readOrNull(file: string): Promise<string | null> {
  const read = await readTextFile(file);
  if (read.state === "read") return read.text;
  if (read.state === "missing") return null;
  throw new Error(`Cannot use ${file}: ${read.problem.message}`);
}
