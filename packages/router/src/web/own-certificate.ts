import { join } from "node:path";
import { type Authority, createAuthority } from "@datawire/http/authority";
import { readTextFile, writeFileAtomically } from "@datawire/runtime";

/** The authority's certificate, for browsers and others that are to trust the router. */
const CERTIFICATE = "ca.pem";
const KEY = "ca.key";

/**
 * The authority that a router without `tls` has made for itself, once, in its data folder: `ca.pem`, and `ca.key`.
 * @throws Error where the files cannot be read or written, or the key is missing.
 */
export async function openAuthority(folder: string, nowMs: number): Promise<Authority> {
  const files = { certificate: join(folder, CERTIFICATE), key: join(folder, KEY) };
  const [certificate, key] = await Promise.all([readOrNull(files.certificate), readOrNull(files.key)]);
  if (certificate !== null && key !== null) return { certificate, key };
  // Those who trust the certificate would have to trust another one: nothing to do without a word.
  if (certificate !== null) {
    const remedy = "put it back, or remove both, for another authority that browsers have to trust anew";
    throw new Error(`Cannot use the authority ${files.certificate}: its key, ${files.key}, is missing; ${remedy}`);
  }
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
