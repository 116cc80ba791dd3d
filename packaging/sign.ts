import { createPrivateKey, createPublicKey, createSign, type KeyObject } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./source.ts";

/** How long a list holds where nobody says otherwise: who makes no packages for a year signs those that there are again. */
export const VALID_DAYS = 365;
const DAY_MS = 86_400_000;

/** When a list is signed, and for how long that holds. */
export interface SigningTime {
  /** Milliseconds since 1970; default: now. */
  readonly nowMs?: number;
  /** Default: 365. */
  readonly validDays?: number;
}

/**
 * Signs the list of a folder with the time until which it holds, so that nobody shows an old one for ever, and lays an
 * `install.sh` beside it that takes no other and no older one.
 * @param sums the list; @param keyFile a private key, PEM: EC or RSA, which every version of openssl verifies.
 * @returns the files.
 * @throws Error for what is no such key.
 */
export async function sign(
  sums: string,
  keyFile: string,
  { nowMs = Date.now(), validDays = VALID_DAYS }: SigningTime = {},
): Promise<readonly string[]> {
  const key = await readKey(keyFile);
  const signedAt = timeOf(nowMs);
  const lines = (await readFile(sums, "utf8")).split("\n").filter((line) => !line.startsWith("#"));
  // Programs that check such lists leave these lines out.
  const head = [`# signed ${signedAt}`, `# valid-until ${timeOf(nowMs + validDays * DAY_MS)}`];
  await writeFile(sums, [...head, ...lines].join("\n"));
  const signature = `${sums}.sig`;
  await writeFile(
    signature,
    createSign("sha256")
      .update(await readFile(sums))
      .sign(key),
  );
  const script = join(sums, "../install.sh");
  const source = await readFile(join(ROOT, "install.sh"), "utf8");
  const known = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  await writeFile(script, filled(filled(source, "signed_by", known), "signed_at", signedAt));
  await chmod(script, 0o755);
  return [signature, script];
}

/** In whole seconds, as ISO 8601 has them. */
const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** The script with the value of one of its lines that are empty in the checkout. */
function filled(script: string, name: string, value: string): string {
  const line = `${name}=''`;
  if (!script.includes(line)) throw new Error(`Cannot sign for install.sh: it has no line ${line}`);
  return script.replace(line, `${name}='${value}'`);
}

async function readKey(file: string): Promise<KeyObject> {
  const wanted = "wanted a private key, PEM, EC or RSA, as `openssl ecparam -name prime256v1 -genkey -noout` makes it";
  let key: KeyObject;
  try {
    key = createPrivateKey(await readFile(file));
  } catch (cause) {
    throw new Error(`Cannot sign with ${file}: ${wanted}`, { cause });
  }
  if (key.asymmetricKeyType === "ec" || key.asymmetricKeyType === "rsa") return key;
  throw new Error(`Cannot sign with ${file}: it is a key of ${key.asymmetricKeyType}, ${wanted}`);
}
