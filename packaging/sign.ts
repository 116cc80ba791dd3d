import { createPrivateKey, createPublicKey, createSign, type KeyObject } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./source.ts";

/** The line of `install.sh` that says whose packages it takes. */
const PLACE = "signed_by=''";

/**
 * Signs the list of a folder, and lays an `install.sh` beside it that takes no other.
 * @param sums the list; @param keyFile a private key, PEM: EC or RSA, which every version of openssl verifies.
 * @returns the files.
 * @throws Error for what is no such key.
 */
export async function sign(sums: string, keyFile: string): Promise<readonly string[]> {
  const key = await readKey(keyFile);
  const signature = `${sums}.sig`;
  await writeFile(
    signature,
    createSign("sha256")
      .update(await readFile(sums))
      .sign(key),
  );
  const script = join(sums, "../install.sh");
  const source = await readFile(join(ROOT, "install.sh"), "utf8");
  if (!source.includes(PLACE)) throw new Error(`Cannot sign for install.sh: it has no line ${PLACE}`);
  const known = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  await writeFile(script, source.replace(PLACE, `signed_by='${known}'`));
  await chmod(script, 0o755);
  return [signature, script];
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
