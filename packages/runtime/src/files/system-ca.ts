import { constants } from "node:fs";
import { access } from "node:fs/promises";

/** Where distributions keep the authorities that they trust, in one file: Debian, Red Hat, SUSE, Alpine and BSD. */
export const SYSTEM_CA_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The file of the system's authorities, for an HAProxy that does not find them itself; null where none is known. */
export async function findSystemCa(candidates: readonly string[] = SYSTEM_CA_FILES): Promise<string | null> {
  for (const path of candidates) {
    const found = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
